/* The frame of every victim: prepare, then at each command change one thing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define MB (1UL << 20)
#define MUST(x) ((x) ? (void)0 : (perror(#x), exit(3)))

static void prepare(void);
static void change(void);

static inline char *map(size_t size, int prot)
{
	char *at = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(at != MAP_FAILED);
	return at;
}

/* Commands come on descriptor 3, answers go to descriptor 4. */
int main(void)
{
	char command;

	MUST(fcntl(3, F_GETFD) >= 0 && fcntl(4, F_GETFD) >= 0);
	/* What whoever runs the tests has open is no part of them. */
	MUST(close_range(5, ~0U, 0) == 0);
	prepare();
	for (;;) {
		MUST(write(4, "r", 1) == 1);
		if (read(3, &command, 1) != 1)
			return 0;
		change();
	}
}
