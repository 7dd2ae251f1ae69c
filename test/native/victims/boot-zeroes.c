/* Gives memory back that the checkpoint holds in every way, and must find zeroes there, and not what the image holds. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#define BYTES (64 * PAGE)

static char *anonymous, *top, *block;
static char data[BYTES] = { 7 }, zero[BYTES];

static int is_zero(const char *at, size_t size)
{
	return !*at && !memcmp(at, at + 1, size - 1);
}

static char *inner(char *array)
{
	return (char *)(((uintptr_t)array + PAGE - 1) & ~(PAGE - 1));
}

static void prepare(void)
{
	anonymous = map(BYTES, PROT_READ | PROT_WRITE);
	memset(anonymous, 7, BYTES);
	memset(data, 7, BYTES);
	memset(zero, 7, BYTES);
	block = malloc(MB / 8);
	MUST(block);
	memset(block, 7, MB / 8);
	top = sbrk(BYTES);
	MUST(top != (void *)-1);
	memset(top, 7, BYTES);
}

static void change(void)
{
	MUST(anonymous[PAGE] == 7 && zero[PAGE] == 7 && data[2 * PAGE] == 7 && block[PAGE] == 7 && top[0] == 7);
	MUST(!madvise(anonymous, BYTES, MADV_DONTNEED) && is_zero(anonymous, BYTES));
	/* Beyond the program's data, of which the file has the first page. */
	MUST(!madvise(inner(zero) + PAGE, BYTES - 4 * PAGE, MADV_DONTNEED) && is_zero(inner(zero) + PAGE, BYTES - 4 * PAGE));
	MUST(!madvise(inner(block), MB / 16, MADV_DONTNEED) && is_zero(inner(block), MB / 16));
	MUST(sbrk(-(intptr_t)BYTES) != (void *)-1 && sbrk(BYTES) == top && is_zero(top, BYTES));
	/* Of a file the kernel brings the file's own bytes back. */
	MUST(!madvise(inner(data), BYTES - 4 * PAGE, MADV_DONTNEED) && is_zero(inner(data) + 4 * PAGE, PAGE));
}
