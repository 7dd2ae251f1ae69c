/* Mappings that the kernel joins with no other. */
/* SPDX-License-Identifier: Apache-2.0 */
#define SIZE (32 * PAGE)

/* Between two gaps. */
static inline char *map_alone(void)
{
	char *at = map(SIZE + 2 * PAGE, PROT_READ | PROT_WRITE);

	MUST(!munmap(at, PAGE) && !munmap(at + PAGE + SIZE, PAGE));
	return at + PAGE;
}

static inline void replace(char *at, int flags)
{
	MUST(mmap(at, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) == at);
	memset(at, 7, SIZE);
}
