/* Steps that leave processes, or end their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void live(long how)
{
	switch (how) {
	case 0:
		for (;;)
			pause();
	case 1:
		for (;;)
			__asm__ volatile("pause");
	case 2:
		raise(SIGSTOP);
		break;
	case 3:
		signal(SIGTERM, SIG_IGN);
		for (;;)
			sched_yield();
	default:
		break;
	}
	_exit(0);
}

/* step slow: children: asleep, busy, stopped, deaf, dead and waited for by nobody */
static long children_left(const long a[])
{
	for (long i = 0; i < 1 + a[0] % 3; i++) {
		pid_t child = fork();

		if (child < 0)
			return -errno;
		if (child == 0)
			live((a[1] + i) % 5);
	}
	return 0;
}

/* step slow: a daemon, by a second fork in a session of its own */
static long daemon_left(const long a[])
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (child > 0)
		return 0;
	setsid();
	if (fork() == 0)
		live(a[0] % 4);
	_exit(0);
}

static _Noreturn int write_for_ever(void *what)
{
	volatile uint8_t *at = hostile_memory + (intptr_t)what;

	for (;;)
		(*at)++;
}

/* step slow: a child that shares the table of descriptors, or the working directory, and goes on changing it */
static long child_with_shared_tables(const long a[])
{
	long shared = a[0] % 3 == 0 ? CLONE_FILES : a[0] % 3 == 1 ? CLONE_FS : CLONE_FILES | CLONE_FS;
	pid_t child = (pid_t)syscall(SYS_clone, shared | SIGCHLD, NULL, NULL, NULL, NULL);

	if (child != 0)
		return child < 0 ? -errno : 0;
	for (long i = 0;; i++) {
		close(dup2(1, 200 + (int)(a[1] + i) % 32));
		umask((mode_t)i % 512);
		if (chdir(i % 2 ? "/tmp" : "/"))
			_exit(1);
	}
}

/* step slow: a child with the same memory but a stack of its own, that goes on writing */
static long child_with_shared_memory(const long a[])
{
	uint8_t *stack = malloc(65536);
	pid_t child = stack ? clone(write_for_ever, stack + 65536, CLONE_VM | (a[1] % 2 ? SIGCHLD : 0), (void *)(intptr_t)a[0]) : -1;

	return child < 0 ? -errno : 0;
}

/* step slow: children that end while others begin */
static long children_born_and_gone(const long a[])
{
	for (long i = 0; i < 1 + a[0] % 4; i++) {
		pid_t child = fork();

		if (child < 0)
			return -errno;
		if (child == 0)
			_exit((int)a[1] % 256);
	}
	return 0;
}

/*
 * The child is killed when the activation is over. What the process goes on with until it is frozen can make no thread, without
 * which libuv ends the process.
 */
/* step rare hangs channel process-gone: the process sits in a vfork whose child never ends */
static long vfork_entered(const long a[])
{
	(void)a;
	if (vfork() == 0)
		for (;;)
			syscall(SYS_pause);
	return 0;
}

/* step rare process-gone hangs: the process ends: at a signal, by itself, at a fault, by becoming another */
static long process_ended(const long a[])
{
	char *const arguments[] = { "true", NULL };

	switch (a[0] % 5) {
	case 0:
		_exit((int)a[1] % 256);
	case 1:
		kill(getpid(), SIGKILL);
		break;
	case 2:
		abort();
	case 3:
		signal(SIGSEGV, SIG_DFL);
		*(volatile uint8_t *)(intptr_t)(8 + a[1] % 64) = 1;
		break;
	default:
		execv("/bin/true", arguments);
		return -errno;
	}
	return 0;
}

const struct act process_steps[] = {
	{ "children_left", children_left },
	{ "daemon_left", daemon_left },
	{ "child_with_shared_tables", child_with_shared_tables },
	{ "child_with_shared_memory", child_with_shared_memory },
	{ "children_born_and_gone", children_born_and_gone },
	{ "vfork_entered", vfork_entered },
	{ "process_ended", process_ended },
	{ NULL, NULL },
};
