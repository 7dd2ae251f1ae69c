/* Dirties: where files it had before are read next: a file and a folder. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/syscall.h>

static int file, folder;

static void prepare(void)
{
	char entries[4096];

	MUST((file = open("/proc/self/exe", O_RDONLY)) >= 0 && lseek(file, 5, SEEK_SET) == 5);
	MUST((folder = open("/usr", O_RDONLY | O_DIRECTORY)) >= 0);
	MUST(syscall(SYS_getdents64, folder, entries, sizeof(entries)) > 0 && !lseek(folder, 0, SEEK_SET));
}

static void change(void)
{
	char entries[256];

	MUST(lseek(file, 100, SEEK_SET) == 100);
	MUST(syscall(SYS_getdents64, folder, entries, sizeof(entries)) > 0);
}
