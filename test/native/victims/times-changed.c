/* Dirties: the times of a pipe and of a socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/socket.h>
#include <sys/stat.h>

static int ends[2], pair[2];

static void prepare(void)
{
	MUST(!pipe(ends) && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void change(void)
{
	static const struct timespec message[2] = { { 1, 2 }, { 3, 4 } };

	MUST(!futimens(ends[0], message) && !futimens(pair[0], NULL));
}
