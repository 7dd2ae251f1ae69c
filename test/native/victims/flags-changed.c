/* Dirties: each flag of open files that can be changed: append, no waiting, packets, signals, no access time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static int ends[2], file;

static void prepare(void)
{
	MUST(!pipe(ends) && (file = memfd_create("file", MFD_CLOEXEC)) >= 0);
}

static void change(void)
{
	MUST(!fcntl(ends[1], F_SETFL, O_DIRECT | O_NONBLOCK | O_ASYNC));
	MUST(!fcntl(file, F_SETFL, O_APPEND | O_NOATIME) && !fcntl(file, F_SETFD, 0));
}
