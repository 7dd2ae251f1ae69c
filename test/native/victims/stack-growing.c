/* Dirties: its stack, which grows while it is frozen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static int recurse(int depth)
{
	volatile char frame[2 * PAGE];

	frame[0] = 1;
	if (depth > 0)
		return recurse(depth - 1) + frame[0];
	return frame[0];
}

static void prepare(void)
{
}

static void change(void)
{
	MUST(write(4, "r", 1) == 1);
	for (int depth = 1;; depth = depth % 900 + 1)
		recurse(depth);
}
