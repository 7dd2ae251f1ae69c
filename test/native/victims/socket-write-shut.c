/* Dirties: a socket whose other end waits to be accepted, by closing its writing side for good. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/socket.h>

static int caller;

static void prepare(void)
{
	const struct sockaddr any = { .sa_family = AF_UNIX };
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	MUST(!bind(listener, &any, sizeof(any.sa_family)) && !listen(listener, 1) &&
	     !getsockname(listener, (struct sockaddr *)&name, &length));
	caller = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(!connect(caller, (struct sockaddr *)&name, length));
}

static void change(void)
{
	MUST(!shutdown(caller, SHUT_WR));
}
