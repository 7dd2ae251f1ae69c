/* Dirties: locks of all three sorts on descriptors it had before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/file.h>

static int locked[3];

static void prepare(void)
{
	for (int i = 0; i < 3; i++)
		MUST((locked[i] = memfd_create("locked", 0)) >= 0);
}

static void change(void)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	MUST(!flock(locked[0], LOCK_EX | LOCK_NB));
	MUST(!fcntl(locked[1], F_SETLK, &all));
	MUST(!fcntl(locked[2], F_OFD_SETLK, &all));
}
