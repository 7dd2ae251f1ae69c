/* Spreads a mark over the places of a process that only C reaches; what is left there is never tidied up. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "canary.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SIZE 32
#define PAGE 4096UL

static uint8_t mark[SIZE];
static __thread uint8_t of_thread[SIZE];

/* Not to be left out because nobody reads it. */
static void fill(void *to, size_t length)
{
	for (size_t at = 0; at + SIZE <= length; at += SIZE)
		memcpy((uint8_t *)to + at, mark, SIZE);
	__asm__ volatile("" ::"r"(to) : "memory");
}

static void *map(int flags, int fd, size_t length)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, 0);
}

/* Below the stack pointer once it has returned. */
static __attribute__((noinline)) void down_the_stack(int depth)
{
	uint8_t frame[PAGE];

	if (depth > 0)
		down_the_stack(depth - 1);
	fill(frame, sizeof(frame));
}

static int in_heap(void)
{
	void *blocks[64];

	for (size_t i = 0; i < 64; i++) {
		blocks[i] = malloc(i * 64 + SIZE);
		if (!blocks[i])
			return 1;
		fill(blocks[i], i * 64 + SIZE);
	}
	for (size_t i = 0; i < 64; i += 2)
		free(blocks[i]);
	down_the_stack(100);
	return 0;
}

static int in_break(void)
{
	void *at = sbrk(64 * PAGE);

	/* In one process of a hundred V8 has put a mapping right above the break: there is no such place then. */
	if (at == (void *)-1)
		return 0;
	fill(at, 64 * PAGE);
	return sbrk(-32 * (intptr_t)PAGE) == (void *)-1;
}

static int in_mappings(void)
{
	void *hidden = map(MAP_PRIVATE | MAP_ANONYMOUS, -1, 4 * PAGE), *shared = map(MAP_SHARED | MAP_ANONYMOUS, -1, PAGE);

	if (hidden == MAP_FAILED || shared == MAP_FAILED)
		return 1;
	fill(hidden, 4 * PAGE);
	fill(shared, PAGE);
	return mprotect(hidden, 4 * PAGE, PROT_NONE);
}

static int in_file(int fd)
{
	void *at = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, PAGE))
		at = map(MAP_SHARED, fd, PAGE);
	if (at == MAP_FAILED)
		return 1;
	fill(at, PAGE);
	return 0;
}

static int in_files(void)
{
	int deleted = open("/dev/shm/deleted", O_RDWR | O_CREAT, 0600), named = open("/tmp/attributes", O_RDWR | O_CREAT, 0600);

	return in_file(memfd_create("canary", 0)) || in_file(deleted) || unlink("/dev/shm/deleted") ||
	       fsetxattr(named, "user.canary", mark, SIZE, 0);
}

/* The last bytes of program text, behind its end. Where the kernel lets nobody write it, nothing is left there. */
static int in_text(void)
{
	char line[512];
	uint64_t start, end;
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps && fgets(line, sizeof(line), maps)) {
		uint8_t *page;

		if (sscanf(line, "%lx-%lx", &start, &end) != 2 || !strstr(line, " r-xp ") ||
		    !(strstr(line, "[vdso]") || strstr(line, "/libc.so")))
			continue;
		page = (uint8_t *)(uintptr_t)end - PAGE;
		if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))
			continue;
		memcpy(page + PAGE - SIZE, mark, SIZE);
		if (mprotect(page, PAGE, PROT_READ | PROT_EXEC))
			return 1;
	}
	if (maps)
		fclose(maps);
	return 0;
}

static int in_pipes_and_sockets(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), ends[2];

	memcpy(name.sun_path + 1, mark, SIZE);
	if (listener < 0 || bind(listener, (void *)&name, offsetof(struct sockaddr_un, sun_path) + 1 + SIZE) || listen(listener, 1))
		return 1;
	if (pipe(ends) || write(ends[1], mark, SIZE) != SIZE)
		return 1;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || write(ends[1], mark, SIZE) != SIZE;
}

/* What /proc says of them. */
static int in_counters(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int counter = eventfd(0, 0), set = epoll_create1(0);
	uint64_t word;

	memcpy(&word, mark + 8, sizeof(word));
	event.data.u64 = word;
	return counter < 0 || write(counter, &word, sizeof(word)) != sizeof(word) || epoll_ctl(set, EPOLL_CTL_ADD, counter, &event);
}

static void handle(int signal)
{
	uint8_t frame[512];

	(void)signal;
	fill(frame, sizeof(frame));
}

static int on_alternate_stack(void)
{
	stack_t stack = { .ss_sp = map(MAP_PRIVATE | MAP_ANONYMOUS, -1, 16 * PAGE), .ss_size = 16 * PAGE };
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_ONSTACK };

	return stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) || sigaction(SIGUSR2, &action, NULL) || raise(SIGUSR2);
}

/* Waits for ever, with the mark in its registers, its name and its own memory. */
static void *wait_for_ever(void *started)
{
	char name[16] = { 0 };

	memcpy(name, mark, 15);
	prctl(PR_SET_NAME, name);
	memcpy(of_thread, mark, SIZE);
	down_the_stack(4);
	__atomic_store_n((int *)started, 1, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("movq (%0), %%r12; movq 8(%0), %%r13; movq 16(%0), %%r14; movq 24(%0), %%r15;"
				 "movdqu (%0), %%xmm7; movdqu 16(%0), %%xmm8; syscall"
				 :
				 : "r"(mark), "a"(SYS_pause)
				 : "rcx", "r11", "r12", "r13", "r14", "r15", "xmm7", "xmm8", "memory");
	return NULL;
}

static int in_thread(void)
{
	static int started;
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_ever, &started))
		return 1;
	while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE))
		sched_yield();
	return 0;
}

static int in_names(void)
{
	char name[16] = { 0 };

	memcpy(name, mark, 15);
	memcpy(of_thread, mark, SIZE);
	return prctl(PR_SET_NAME, name) || setenv("CANARY_AGAIN", getenv("CANARY"), 1);
}

long spread(void)
{
	int (*const places[])(void) = { in_heap, in_break, in_mappings, in_files, in_text, in_pipes_and_sockets, in_counters,
					on_alternate_stack, in_thread, in_names };
	const char *text = getenv("CANARY");

	for (size_t i = 0; i < SIZE; i++)
		if (!text || sscanf(text + 2 * i, "%2hhx", &mark[i]) != 1)
			return -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (places[i]())
			return (long)i + 1;
	return 0;
}
