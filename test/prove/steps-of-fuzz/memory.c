/* Steps that change memory: mappings of every kind, the break, the stack, the runtime's own text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static uint8_t *map(size_t pages, int protection, int flags)
{
	return mmap(NULL, pages * PAGE, protection, MAP_ANONYMOUS | flags, -1, 0);
}

static void write_pages(uint8_t *from, size_t pages, size_t every, long value)
{
	for (size_t i = 0; i < pages; i += every)
		memset(from + i * PAGE, (int)value, 64);
}

/* step: a private mapping, written here and there */
static long maps_private(const long a[])
{
	size_t pages = 1 + (size_t)a[0] % 256;
	uint8_t *found = map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (found == MAP_FAILED)
		return -errno;
	write_pages(found, pages, 1 + (size_t)a[1] % 4, a[1]);
	return 0;
}

/* step: a shared mapping without a file */
static long maps_shared(const long a[])
{
	size_t pages = 1 + (size_t)a[0] % 64;
	uint8_t *found = map(pages, PROT_READ | PROT_WRITE, MAP_SHARED);

	if (found == MAP_FAILED)
		return -errno;
	write_pages(found, pages, 1, a[1]);
	return 0;
}

/* step: address space without rights, gigabytes of it */
static long maps_reserved(const long a[])
{
	bool written = a[1] % 2;
	size_t pages = (1 + (size_t)a[0] % 16) << 18;
	uint8_t *found = map(pages, written ? PROT_READ | PROT_WRITE : PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);

	if (found == MAP_FAILED)
		return -errno;
	if (written)
		write_pages(found, pages, pages / 8, a[1]);
	return 0;
}

/* step: a mapping with holes in it */
static long maps_with_holes(const long a[])
{
	uint8_t *found = map(32, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (found == MAP_FAILED)
		return -errno;
	write_pages(found, 32, 1, a[0]);
	for (int i = 0; i < 32; i++)
		if ((a[0] ^ a[1] << 3) >> i % 10 & 1 && munmap(found + i * PAGE, PAGE))
			return -errno;
	return 0;
}

/* step: a mapping in which every page has rights of its own */
static long maps_with_rights(const long a[])
{
	uint8_t *found = map(32, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (found == MAP_FAILED)
		return -errno;
	write_pages(found, 32, 1, a[1]);
	for (int i = 0; i < 32; i++)
		if (mprotect(found + i * PAGE, PAGE, (int)(a[0] + i * a[1]) % 8))
			return -errno;
	return 0;
}

/* step: a mapping that grows, shrinks and moves */
static long maps_moved(const long a[])
{
	size_t pages = 1 + (size_t)a[0] % 64, then = 1 + (size_t)a[1] % 64;
	uint8_t *found = map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (found == MAP_FAILED)
		return -errno;
	write_pages(found, pages, 1, a[0]);
	found = mremap(found, pages * PAGE, then * PAGE, MREMAP_MAYMOVE);
	if (found == MAP_FAILED)
		return -errno;
	write_pages(found, then, 1, a[1]);
	return 0;
}

/* step: a mapping that grows down at a touch */
static long maps_growing_down(const long a[])
{
	uint8_t *found = map(2 + 512, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE), *low;

	if (found == MAP_FAILED)
		return -errno;
	low = mmap(found + 512 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	if (low == MAP_FAILED || munmap(found, 512 * PAGE))
		return -errno;
	for (long i = 1; i <= a[0] % 64; i++)
		low[-i * PAGE] = (uint8_t)a[1];
	return 0;
}

/* step: code made at run time, and called */
static long maps_code(const long a[])
{
	uint8_t *found = map(1 + (size_t)a[1] % 8, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
	const uint8_t code[] = { 0xb8, (uint8_t)a[0], 0, 0, 0, 0xc3 }; /* mov eax, a[0]; ret */
	long (*call)(void);

	if (found == MAP_FAILED)
		return -errno;
	memcpy(found, code, sizeof(code));
	memcpy(&call, &found, sizeof(call));
	return call() == (uint8_t)a[0] ? 0 : -EIO;
}

/* step: pieces of memory of all sizes, kept, written, and some given back */
static long heap_used(const long a[])
{
	for (long i = 0; i < 16 + a[0] % 256; i++) {
		size_t size = 16 + (size_t)(a[1] * i * 37) % 5000;
		uint8_t *piece = malloc(size);

		if (!piece)
			return -ENOMEM;
		memset(piece, (int)i, size);
		if (i % 3 == a[1] % 3)
			free(piece);
	}
	return 0;
}

/* step slow: megabytes that are used and given back, with all that is free in the heap */
static long heap_given_back(const long a[])
{
	size_t size = (1 + (size_t)a[0] % 8) << 20;
	uint8_t *piece = malloc(size);

	if (!piece)
		return -ENOMEM;
	memset(piece, (int)a[1], size);
	free(piece);
	malloc_trim(0);
	return 0;
}

/* step: the heap's settings, and a second arena's worth of choices */
static long heap_set(const long a[])
{
	mallopt(M_MMAP_THRESHOLD, 4096 * (1 + (int)a[0] % 64));
	mallopt(M_PERTURB, (int)a[1] % 256);
	mallopt(M_ARENA_MAX, 1 + (int)a[1] % 4);
	return malloc(100000 + (size_t)a[0] * 100) ? 0 : -ENOMEM;
}

/* step: the break raised, written above, and perhaps lowered again */
static long break_moved(const long a[])
{
	size_t bytes = 16 + (size_t)a[0] * 100;
	uint8_t *found = sbrk((intptr_t)bytes);

	if ((intptr_t)found == -1)
		return -errno;
	memset(found, (int)a[1], bytes);
	return a[1] % 2 && (intptr_t)sbrk(-(intptr_t)bytes) == -1 ? -errno : 0;
}

static __attribute__((noinline)) long deeper(long levels)
{
	volatile uint8_t piece[16 * 1024];

	for (size_t i = 0; i < sizeof(piece); i += 1024)
		piece[i] = (uint8_t)levels;
	return levels == 0 ? piece[1024] : deeper(levels - 1) + piece[2048] - piece[1024];
}

/* step: the stack grown by up to four megabytes */
static long stack_grown(const long a[])
{
	return deeper(1 + a[0] % 256) < 0 ? -EIO : 0;
}

static uint8_t *text_of_library(void)
{
	uint8_t *text;
	char *(*function)(char *) = strfry;

	memcpy(&text, &function, sizeof(text));
	return text;
}

/* step refused: a page of the C library made writable */
static long text_made_writable(const long a[])
{
	uint8_t *page = (uint8_t *)((uintptr_t)text_of_library() & -(uintptr_t)PAGE);

	return mprotect(page, (1 + (size_t)a[0] % 2) * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) ? -errno : 0;
}

/* step: a page of the C library replaced by a patched one */
static long text_replaced(const long a[])
{
	uint8_t *text = text_of_library(), *page = (uint8_t *)((uintptr_t)text & -(uintptr_t)PAGE);
	uint8_t *copy = map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (copy == MAP_FAILED)
		return -errno;
	memcpy(copy, page, PAGE);
	copy[text - page] = 0xc3; /* ret */
	if (mprotect(copy, PAGE, PROT_READ | PROT_EXEC | (a[1] % 2 ? PROT_WRITE : 0)))
		return -errno;
	return mremap(copy, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page) == MAP_FAILED ? -errno : 0;
}

/* step: a memory file, sealed perhaps, mapped both ways and written */
static long memory_file_mapped(const long a[])
{
	size_t bytes = (1 + (size_t)a[0] % 32) * PAGE;
	int fd = memfd_create("left", a[1] % 2 ? MFD_ALLOW_SEALING : MFD_CLOEXEC);
	uint8_t *shared, *own;

	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		return -errno;
	shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	own = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (shared == MAP_FAILED || own == MAP_FAILED)
		return -errno;
	memset(shared, (int)a[0], bytes);
	memset(own, (int)a[1], bytes);
	if (a[1] % 3 == 0)
		return close(fd) ? -errno : 0;
	return 0;
}

/* step: advice of every sort about a mapping */
static long advice_given(const long a[])
{
	uint8_t *found = map(64, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (found == MAP_FAILED)
		return -errno;
	write_pages(found, 64, 1, a[0]);
	for (int i = 0; i < 26; i++) /* most are refused, which is an answer too */
		if ((a[0] + i) % 3 && madvise(found + (size_t)i * PAGE, (size_t)(1 + a[1] % 32) * PAGE, i) && errno == EFAULT)
			return -errno;
	return 0;
}

const struct act memory_steps[] = {
	{ "maps_private", maps_private },
	{ "maps_shared", maps_shared },
	{ "maps_reserved", maps_reserved },
	{ "maps_with_holes", maps_with_holes },
	{ "maps_with_rights", maps_with_rights },
	{ "maps_moved", maps_moved },
	{ "maps_growing_down", maps_growing_down },
	{ "maps_code", maps_code },
	{ "heap_used", heap_used },
	{ "heap_given_back", heap_given_back },
	{ "heap_set", heap_set },
	{ "break_moved", break_moved },
	{ "stack_grown", stack_grown },
	{ "text_made_writable", text_made_writable },
	{ "text_replaced", text_replaced },
	{ "memory_file_mapped", memory_file_mapped },
	{ "advice_given", advice_given },
	{ NULL, NULL },
};
