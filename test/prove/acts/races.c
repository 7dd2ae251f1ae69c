/* Acts that go on while the process is frozen and rewound: threads and processes that come, go, and disturb. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static void *end_at_once(void *unused)
{
	return unused;
}

static long start(void *(*run)(void *))
{
	pthread_t thread;

	return -pthread_create(&thread, NULL, run, NULL) ?: -pthread_detach(thread);
}

static void *churn_threads(void *unused)
{
	for (;;)
		(void)start(end_at_once);
	return unused;
}

/* A thread that makes threads without end, each of which ends at once. */
static long act_churn_threads(const long a[ARGUMENTS])
{
	(void)a;
	return start(churn_threads);
}

static int wait_for_ever(void *unused)
{
	for (;;)
		(void)syscall(SYS_pause);
	return unused != NULL;
}

static int end_soon(void *unused)
{
	(void)unused;
	usleep(200);
	return 0;
}

/* Children that share memory are all on one stack, where all write the same. */
struct brood {
	int flags;
	int (*child)(void *unused);
	useconds_t pause_us;
	char stack[16384] __attribute__((aligned(16)));
};

static void *breed(void *argument)
{
	struct brood *brood = argument;

	for (;;)
		if (clone(brood->child, brood->stack + sizeof(brood->stack), brood->flags, NULL) > 0)
			usleep(brood->pause_us);
	return NULL;
}

/*
 * A thread that makes processes without end, as soon as it may: 0 the runtime's children, 1 its siblings, 2 children that are
 * lent its memory for a moment and let it wait for them.
 */
static long act_breed(const long a[ARGUMENTS])
{
	static struct brood broods[] = {
		{ SIGCHLD, wait_for_ever, 500, { 0 } },
		{ CLONE_PARENT | CLONE_VM | SIGCHLD, wait_for_ever, 500, { 0 } },
		{ CLONE_VFORK | CLONE_VM | SIGCHLD, end_soon, 0, { 0 } },
	};
	pthread_t thread;

	return -pthread_create(&thread, NULL, breed, &broods[a[0]]) ?: -pthread_detach(thread);
}

/* What the kernel is to clear at the end of each of haunt's children, and how long these live. */
static long haunted;
static struct timespec life;

static void *haunt(void *unused)
{
	for (;;) {
		const long flags = CLONE_VM | CLONE_PARENT | CLONE_CHILD_CLEARTID;
		register long clear __asm__("r10") = haunted, tls __asm__("r8") = 0;
		long number = SYS_clone;

		/* The child has no stack of its own and needs none: it sleeps, then faults. */
		__asm__ volatile("syscall\n test %%rax, %%rax\n jnz 1f\n"
				 "mov %[sleep], %%eax\n mov %[life], %%rdi\n xor %%esi, %%esi\n syscall\n hlt\n 1:"
				 : "+a"(number)
				 : "D"(flags), "S"(0), "d"(0), "r"(clear), "r"(tls), [sleep] "i"(SYS_nanosleep), [life] "r"(&life)
				 : "rcx", "r11", "memory");
		(void)usleep(20);
	}
	return unused;
}

/*
 * A thread that makes siblings of the runtime without end, each of which lives for so many microseconds, and with the last
 * breath has the kernel clear four bytes of the memory that it shares with the runtime.
 */
static long act_haunt(const long a[ARGUMENTS])
{
	haunted = a[0];
	life = (struct timespec){ 0, a[1] * 1000 };
	return start(haunt);
}

/* Where a text lies that a process has from its start: its program's name. */
static long act_old_text(const long a[ARGUMENTS])
{
	(void)a;
	return (long)getauxval(AT_EXECFN);
}

static void *churn_mappings(void *unused)
{
	for (size_t length = 4096;; length = length % (1 << 20) + 4096) {
		char *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			continue;
		at[length / 2] = 1;
		(void)mprotect(at, 4096, PROT_NONE);
		(void)mremap(at, length, length + 4096, MREMAP_MAYMOVE);
		(void)munmap(at, length);
		(void)sbrk(length % 8192 ? 4096 : -4096);
	}
	return unused;
}

/* A thread that maps, protects, moves and unmaps memory and moves the break. */
static long act_churn_mappings(const long a[ARGUMENTS])
{
	(void)a;
	return start(churn_mappings);
}

static void take_signal(int signal)
{
	(void)signal;
}

static void *storm(void *unused)
{
	const union sigval value = { .sival_int = 42 };

	for (;;)
		for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) {
			(void)sigqueue(getpid(), signal, value);
			(void)syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
			(void)kill(getpid(), SIGTRAP);
		}
	return unused;
}

/* Threads that send signals to the process and its leader without end, and a timer that does. */
static long act_storm(const long a[ARGUMENTS])
{
	const struct sigaction action = { .sa_handler = take_signal, .sa_flags = SA_RESTART };
	const struct itimerval often = { { 0, 50 }, { 0, 50 } };

	(void)a;
	for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		(void)sigaction(signal, &action, NULL);
	(void)sigaction(SIGUSR1, &action, NULL);
	(void)sigaction(SIGTRAP, &action, NULL);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	return start(storm) ?: start(storm);
}

/* A child that stops its parent and lets it go on, without end. */
static long act_stop_and_go(const long a[ARGUMENTS])
{
	pid_t parent = getpid(), child = fork();

	(void)a;
	while (child == 0) {
		(void)kill(parent, SIGSTOP);
		(void)kill(parent, SIGCONT);
	}
	return child < 0 ? -errno : 0;
}

/* A child that forks and ends, as its child does, and so on: each lives for a moment. */
static long act_fork_on(const long a[ARGUMENTS])
{
	pid_t child = fork();

	(void)a;
	while (child == 0)
		if (fork() > 0)
			_exit(0);
	return child < 0 ? -errno : 0;
}

static long execution_delay_us;

static void *execute_soon(void *unused)
{
	usleep((useconds_t)execution_delay_us);
	(void)execl("/bin/sleep", "sleep", "60", (char *)NULL);
	return unused;
}

/* A thread that has the process execute another program after some microseconds. */
static long act_execute_soon(const long a[ARGUMENTS])
{
	execution_delay_us = a[0];
	return start(execute_soon);
}

static void *swap_descriptors(void *unused)
{
	int nothing = open("/dev/null", O_RDWR), output = dup(1);

	for (;;) {
		(void)dup2(nothing, 1);
		(void)dup2(output, 1);
	}
	return unused;
}

/* A thread that replaces standard output and puts it back, without end. */
static long act_swap_descriptors(const long a[ARGUMENTS])
{
	(void)a;
	return start(swap_descriptors);
}

/* With the flags for single steps, alignment checks and backward copies set: each instruction traps. */
static void *step_singly(void *unused)
{
	__asm__ volatile("pushf\n orq $0x40500, (%%rsp)\n popf\n 1: jmp 1b" : : : "memory", "cc");
	return unused;
}

/* With a stack pointer that is no address, and with all exceptions of both floating point units let through. */
static void *lose_stack(void *unused)
{
	const uint32_t vector = 0;
	const uint16_t old = 0;

	__asm__ volatile("ldmxcsr %0\n fldcw %1\n movabs $0x8000000000000000, %%rsp\n 1: jmp 1b" : : "m"(vector), "m"(old) : "memory");
	return unused;
}

/* Threads in states that no compiler makes. */
static long act_misbehave(const long a[ARGUMENTS])
{
	const struct sigaction action = { .sa_handler = take_signal };

	(void)a;
	(void)sigaction(SIGTRAP, &action, NULL);
	return start(step_singly) ?: start(lose_stack);
}

static void *borrow_for_ever(void *unused)
{
	if (vfork() == 0)
		for (;;)
			(void)syscall(SYS_pause);
	return unused;
}

/* A thread (1: the leader itself) that lends its memory to a child, and cannot be stopped before that ends. */
static long act_borrow(const long a[ARGUMENTS])
{
	return a[0] ? (long)borrow_for_ever(NULL) : start(borrow_for_ever);
}

static void *sleep_on(void *unused)
{
	for (;;)
		(void)pause();
	return unused;
}

/* Takes all that there is: 0 mappings, 1 descriptors, 2 threads. */
static long act_exhaust(const long a[ARGUMENTS])
{
	long taken = 0;

	for (int protection = PROT_READ;; protection ^= PROT_WRITE, taken++)
		if (a[0] == 0 ? mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
			      : a[0] == 1 ? dup(1) < 0 : start(sleep_on) != 0)
			return taken;
}

static int descend(int depth)
{
	volatile char frame[8192];

	frame[0] = 1;
	return depth > 0 ? descend(depth - 1) + frame[0] : frame[0];
}

/* Never returns: deeper and deeper into the stack, over and over. */
static long act_grow_stack(const long a[ARGUMENTS])
{
	int depth = 0;

	while (descend(depth) == depth + 1)
		depth = (depth + 1) % (int)a[0];
	return depth;
}

const struct act race_acts[] = {
	{ "churn_threads", act_churn_threads },
	{ "breed", act_breed },
	{ "haunt", act_haunt },
	{ "old_text", act_old_text },
	{ "churn_mappings", act_churn_mappings },
	{ "storm", act_storm },
	{ "stop_and_go", act_stop_and_go },
	{ "fork_on", act_fork_on },
	{ "execute_soon", act_execute_soon },
	{ "swap_descriptors", act_swap_descriptors },
	{ "misbehave", act_misbehave },
	{ "borrow", act_borrow },
	{ "exhaust", act_exhaust },
	{ "grow_stack", act_grow_stack },
	{ NULL, NULL },
};
