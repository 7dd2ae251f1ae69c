/* Dirties: the stack, deep below where it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void grow(int depth)
{
	volatile char frame[8 * PAGE];

	memset((char *)frame, depth, sizeof(frame));
	if (depth)
		grow(depth - 1);
	frame[0]++;
}

static void change(void)
{
	grow(100);
}
