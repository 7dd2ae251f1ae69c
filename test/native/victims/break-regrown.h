/* Moves the break up, and at each further change by AGAIN down and up again to where it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#define PIECE (64 * (intptr_t)PAGE)

static void prepare(void)
{
	char *at = sbrk(PIECE);

	MUST(at != (char *)-1);
	memset(at, 7, PIECE);
}

static void change(void)
{
	static int turn;
	const intptr_t moved = turn++ ? AGAIN : PIECE;
	char *at;

	MUST(turn == 1 || sbrk(-moved) != (char *)-1);
	at = sbrk(moved);
	MUST(at != (char *)-1);
	memset(at, turn, PAGE);
}
