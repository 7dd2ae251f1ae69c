/* Dirties: a descriptor of the checkpoint: its number names another open file, of the same path. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static int file;

static void prepare(void)
{
	file = open("/dev/null", O_RDONLY);
}

static void change(void)
{
	MUST(dup2(open("/dev/null", O_RDONLY), file) == file);
}
