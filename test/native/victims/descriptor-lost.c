/* Dirties: a descriptor of the checkpoint: closed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static int file;

static void prepare(void)
{
	file = open("/dev/null", O_RDONLY);
}

static void change(void)
{
	close(file);
}
