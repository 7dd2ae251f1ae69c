/* Dirties: memory shared through a file that has no name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	int file = memfd_create("message", 0);
	char *at;

	MUST(file >= 0 && !ftruncate(file, 4 * PAGE));
	at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	MUST(at != MAP_FAILED && mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	memset(at, 9, PAGE);
}
