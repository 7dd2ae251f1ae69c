/* Steps that make threads, and change what the kernel keeps of one: registers, bases, lists. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <errno.h>
#include <fenv.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, STACK = 8 * PAGE };

/* Without errno, which needs what a bare thread lacks. */
static long bare_call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

static uint32_t never;

static int bare_life(void *how)
{
	switch ((long)(intptr_t)how) {
	case 0:
		for (;;)
			__asm__ volatile("pause");
	case 1:
		for (;;)
			bare_call(SYS_futex, (long)(intptr_t)&never, FUTEX_WAIT_PRIVATE, 0, 0);
	case 2:
		for (;;)
			bare_call(SYS_ppoll, 0, 0, 0, 0);
	case 3:
		for (;;)
			bare_call(SYS_sched_yield, 0, 0, 0, 0);
	default:
		return 0;
	}
}

static long start_bare(long how)
{
	uint8_t *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	if (stack == MAP_FAILED)
		return -errno;
	return clone(bare_life, stack + STACK, flags, (void *)(intptr_t)how) < 0 ? -errno : 0;
}

/* step: threads that no library knows: spinning, waiting, yielding, ending */
static long threads_cloned(const long a[])
{
	long failed = 0;

	for (long i = 0; i < 1 + a[0] % 5 && !failed; i++)
		failed = start_bare((a[1] + i) % 5);
	return failed;
}

static void *library_life(void *how)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	sigset_t all;

	sigfillset(&all);
	switch ((long)(intptr_t)how) {
	case 0:
		for (;;)
			pause();
	case 1:
		pthread_mutex_lock(&lock); /* the second one waits for ever, the first sleeps with it */
		for (;;)
			sleep(1000);
	case 2:
		pthread_sigmask(SIG_SETMASK, &all, NULL);
		for (;;)
			sched_yield();
	case 3:
		for (;;)
			free(malloc(100000));
	default:
		return NULL;
	}
}

/* step: threads of the C library: asleep, locked, deaf, busy, ended and joined by nobody */
static long threads_created(const long a[])
{
	int failed = 0;
	pthread_t thread;

	for (long i = 0; i < 1 + a[0] % 5 && !failed; i++)
		failed = pthread_create(&thread, NULL, library_life, (void *)(intptr_t)((a[1] + i) % 5));
	return -failed;
}

/* step: threads that end while others begin */
static long threads_born_and_gone(const long a[])
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failed = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 65536 + 4096 * (size_t)(a[1] % 8));
	for (long i = 0; i < 1 + a[0] % 32 && !failed; i++)
		failed = pthread_create(&thread, &attributes, library_life, (void *)4L);
	return -failed;
}

/* step: vector registers full of the activation's own bytes, in their upper halves too */
static long vectors_filled(const long a[])
{
	uint8_t pattern[32];

	memset(pattern, (int)a[0], sizeof(pattern));
	if (!__builtin_cpu_supports("avx"))
		return -ENOSYS;
	__asm__ volatile("vmovdqu %0, %%ymm15\n\tvmovdqa %%ymm15, %%ymm14\n\tvmovdqa %%ymm15, %%ymm8\n\tfld1\n\tffree %%st(0)"
			 : : "m"(pattern) : "xmm8", "xmm14", "xmm15", "st");
	return 0;
}

/* step: numbers rounded another way, and exceptions of arithmetic on record */
static long rounding_changed(const long a[])
{
	const int ways[] = { FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };

	feraiseexcept(a[1] % 2 ? FE_INEXACT : FE_DIVBYZERO);
	return -fesetround(ways[a[0] % 3]);
}

/* step: the base of the segment gs elsewhere, that of fs there and back */
static long bases_moved(const long a[])
{
	enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003 };
	unsigned long fs;
	long failed = bare_call(SYS_arch_prctl, SET_GS, (long)(intptr_t)hostile_memory + a[0] % 512 * 8, 0, 0);

	if (!failed)
		failed = bare_call(SYS_arch_prctl, GET_FS, (long)(intptr_t)&fs, 0, 0);
	if (!failed)
		failed = bare_call(SYS_arch_prctl, SET_FS, (long)fs, 0, 0);
	return failed;
}

/* step: a robust list of its own for the main thread */
static long robust_list_set(const long a[])
{
	static struct { void *next; long offset; void *pending; } head;

	head.next = &head;
	head.offset = a[0] % 64;
	return syscall(SYS_set_robust_list, &head, 24) ? -errno : 0;
}

/* step: another word to be cleared at the main thread's end */
static long end_word_set(const long a[])
{
	return syscall(SYS_set_tid_address, hostile_memory + a[0] % 1024 * 4) > 0 ? 0 : -errno;
}

/* step: the main thread's name */
static long name_set(const long a[])
{
	char name[16] = "left-";

	memset(name + 5, 'a' + (int)(a[0] % 26), (size_t)(a[1] % 11));
	return prctl(PR_SET_NAME, name) ? -errno : 0;
}

/* step: keys, fork handlers and exit handlers registered with the C library */
static long library_hooked(const long a[])
{
	pthread_key_t key;
	int failed = 0;

	for (long i = 0; i < 1 + a[0] % 16 && !failed; i++) {
		failed = pthread_key_create(&key, free);
		if (!failed)
			failed = pthread_setspecific(key, malloc(16));
	}
	if (!failed)
		failed = pthread_atfork((void (*)(void))tzset, NULL, NULL);
	return failed ? -failed : a[1] % 2 ? -atexit(tzset) : 0;
}

/* step rare hangs process-gone: the main thread ends, whatever others there are live on */
static long main_thread_ended(const long a[])
{
	(void)a;
	(void)start_bare(2);
	bare_call(SYS_exit, 0, 0, 0, 0);
	return 0;
}

const struct act thread_steps[] = {
	{ "threads_cloned", threads_cloned },
	{ "threads_created", threads_created },
	{ "threads_born_and_gone", threads_born_and_gone },
	{ "vectors_filled", vectors_filled },
	{ "rounding_changed", rounding_changed },
	{ "bases_moved", bases_moved },
	{ "robust_list_set", robust_list_set },
	{ "end_word_set", end_word_set },
	{ "name_set", name_set },
	{ "library_hooked", library_hooked },
	{ "main_thread_ended", main_thread_ended },
	{ NULL, NULL },
};
