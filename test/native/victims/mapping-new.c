/* Dirties: new mappings, one of them beside an old one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *at;

static void prepare(void)
{
	at = map(64 * PAGE, PROT_READ | PROT_WRITE);
	memset(at, 7, 64 * PAGE);
}

static void change(void)
{
	MUST(mmap(at - 16 * PAGE, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	memset(map(4 * MB, PROT_READ | PROT_WRITE), 9, 4 * MB);
	MUST(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open("/etc/hostname", O_RDONLY), 0) != MAP_FAILED);
}
