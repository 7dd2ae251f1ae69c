/* Dirties: a socket it had before, by closing its reading side for good. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/socket.h>

static int ends[2];

static void prepare(void)
{
	MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static void change(void)
{
	MUST(!shutdown(ends[0], SHUT_RD));
}
