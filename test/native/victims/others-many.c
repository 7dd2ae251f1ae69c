/* Dirties: the own state of forty threads: name, mask, stack for signals, lock list, exit word, registers, queued signals. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define THREADS 40

static pthread_t threads[THREADS];
static volatile _Atomic int changed;
static long elsewhere[3] = { (long)elsewhere };
static char stack[65536];

static void changes(int signal, siginfo_t *info, void *interrupted)
{
	ucontext_t *context = interrupted;

	(void)signal, (void)info;
	MUST(!prctl(PR_SET_NAME, "a message"));
	MUST(!syscall(SYS_set_robust_list, elsewhere, sizeof(elsewhere)) && syscall(SYS_set_tid_address, PAGE) > 0);
	sigaddset(&context->uc_sigmask, SIGTERM);
	context->uc_stack = (stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) };
	context->uc_mcontext.gregs[REG_R15] = 42;
	context->uc_mcontext.fpregs->mxcsr |= 0x6000;
	changed++;
}

static void *waits(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void prepare(void)
{
	const struct sigaction action = { .sa_sigaction = changes, .sa_flags = SA_SIGINFO };
	sigset_t kept_back;

	sigemptyset(&kept_back);
	sigaddset(&kept_back, SIGRTMIN + 2);
	MUST(!sigaction(SIGUSR1, &action, NULL) && !pthread_sigmask(SIG_BLOCK, &kept_back, NULL));
	for (int i = 0; i < THREADS; i++)
		MUST(!pthread_create(&threads[i], NULL, waits, NULL));
	usleep(50000);
}

static void change(void)
{
	for (int i = 0; i < THREADS; i++)
		MUST(!pthread_sigqueue(threads[i], SIGRTMIN + 2, (union sigval){ .sival_int = i }) &&
		     !pthread_kill(threads[i], SIGUSR1));
	while (changed < THREADS)
		usleep(100);
	usleep(1000);
}
