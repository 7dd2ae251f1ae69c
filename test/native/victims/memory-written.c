/* Dirties: private memory of every sort: data, zero pages, heap, an anonymous mapping. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char data[64 * PAGE] = { 1 }, zero[256 * PAGE];
static char *heap, *anonymous;

static void prepare(void)
{
	memset(data, 7, sizeof(data));
	heap = malloc(MB / 16);
	anonymous = map(8 * MB, PROT_READ | PROT_WRITE);
	memset(heap, 7, MB / 16);
	memset(anonymous, 7, 2 * MB);
}

static void change(void)
{
	memset(data + PAGE / 2, 9, 5 * PAGE);
	memset(zero + 3 * PAGE, 9, PAGE);
	memset(zero + 100 * PAGE, 9, 100 * PAGE);
	memset(heap, 9, MB / 16);
	memset(anonymous + MB, 9, 6 * MB);
}
