/* Steps about signals and the timers that send them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static void count(int signal_number)
{
	hostile_memory[signal_number]++;
}

/* A signal that a step may play with: none that a fault raises, nor SIGKILL or SIGSTOP. */
static int choose(long n)
{
	static const int signals[] = { SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGCHLD, SIGWINCH, SIGURG,
				       SIGIO, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU, SIGPWR, SIGXCPU };
	long numbers = (long)(sizeof(signals) / sizeof(*signals));

	n %= numbers + 20;
	return n < numbers ? signals[n] : SIGRTMIN + 4 + (int)(n - numbers);
}

static long handle(int signal_number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	return sigaction(signal_number, &action, NULL) ? -errno : 0;
}

/* step: a handler for a signal, ignored or counted, flags of all sorts */
static long handler_set(const long a[])
{
	const int flags[] = { 0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_ONSTACK, SA_NOCLDWAIT };

	return handle(choose(a[0]), a[1] % 3 ? count : SIG_IGN, flags[a[1] % 6]);
}

/* step: handlers for every signal that may have one */
static long handlers_all_set(const long a[])
{
	for (int i = 1; i <= SIGRTMAX; i++)
		if (i != SIGKILL && i != SIGSTOP && i != SIGSEGV && i != SIGBUS && (i < 32 || i >= SIGRTMIN))
			if (handle(i, a[0] % 2 ? count : SIG_IGN, SA_RESTART))
				return -errno;
	return 0;
}

/* step: signals blocked in the main thread */
static long mask_set(const long a[])
{
	sigset_t set;

	sigfillset(&set);
	for (int i = 1; i <= SIGRTMAX && a[1] % 4; i++)
		if (i % 10 == a[0] % 10)
			sigdelset(&set, i);
	return sigprocmask(SIG_SETMASK, &set, NULL) ? -errno : 0;
}

static long block(int signal_number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal_number);
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -errno : 0;
}

/* step: signals that wait, sent to the process and to its main thread */
static long signals_pending(const long a[])
{
	for (long i = 0; i < 1 + a[1] % 4; i++) {
		int signal_number = choose(a[0] + 7 * i);

		if (handle(signal_number, count, 0) || block(signal_number) || kill(getpid(), signal_number) || raise(signal_number))
			return -errno;
	}
	return 0;
}

/* step: real-time signals that queue, each with a word of its own */
static long signals_queued(const long a[])
{
	int signal_number = SIGRTMIN + 4 + (int)(a[0] % 20);

	if (handle(signal_number, count, 0) || block(signal_number))
		return -errno;
	for (long i = 0; i < 1 + a[1] % 64; i++)
		if (sigqueue(getpid(), signal_number, (union sigval){ .sival_ptr = hostile_memory + i }))
			return -errno;
	return 0;
}

/* step: a signal to every thread of the process, the runtime's own too */
static long threads_signalled(const long a[])
{
	int signal_number = choose(a[0]);
	DIR *threads = handle(signal_number, count, SA_RESTART) ? NULL : opendir("/proc/self/task");
	const struct dirent *entry;

	if (!threads)
		return -errno;
	while ((entry = readdir(threads)))
		for (long i = 0; i < 1 + a[1] % 3 && entry->d_name[0] != '.'; i++)
			if (syscall(SYS_tgkill, getpid(), atoi(entry->d_name), signal_number) && errno != ESRCH)
				return -errno;
	closedir(threads);
	return 0;
}

static long start_timer(int which, long first_us, long then_us)
{
	const struct itimerval value = {
		.it_value = { first_us / 1000000, first_us % 1000000 },
		.it_interval = { then_us / 1000000, then_us % 1000000 },
	};

	return setitimer(which, &value, NULL) ? -errno : 0;
}

/* step: interval timers that would fire for a later activation */
static long timers_set(const long a[])
{
	long failed = 0;

	for (int i = 0; i < 3 && !failed; i++)
		if ((1 + a[0] % 7) >> i & 1)
			failed = start_timer(i, 60000000 + a[1] * 1000, 50000);
	return failed;
}

/* step process-gone: interval timers that fire again and again, up to the freeze, whoever handles their signals by then */
static long timers_firing(const long a[])
{
	const int signals[] = { SIGALRM, SIGVTALRM, SIGPROF };
	int which = (int)(a[0] % 3);
	long failed = handle(signals[which], count, SA_RESTART);

	return failed ? failed : start_timer(which, 100 + a[1], 200 + a[1] * 10);
}

/* step: an alarm in some seconds */
static long alarm_set(const long a[])
{
	alarm(30 + (unsigned int)a[0]);
	return 0;
}

/* step: an alternate stack for the main thread's signals */
static long stack_for_signals_set(const long a[])
{
	const stack_t stack = {
		.ss_sp = hostile_memory + 8192,
		.ss_size = 16384 + (size_t)(a[0] % 8) * 1024,
		.ss_flags = a[1] % 2 ? (int)(1U << 31) : 0, /* SS_AUTODISARM */
	};

	return sigaltstack(&stack, NULL) ? -errno : 0;
}

/* step rare hangs: the process stops itself */
static long process_stopped(const long a[])
{
	(void)a;
	return kill(getpid(), SIGSTOP) ? -errno : 0;
}

const struct act signal_steps[] = {
	{ "handler_set", handler_set },
	{ "handlers_all_set", handlers_all_set },
	{ "mask_set", mask_set },
	{ "signals_pending", signals_pending },
	{ "signals_queued", signals_queued },
	{ "threads_signalled", threads_signalled },
	{ "timers_set", timers_set },
	{ "timers_firing", timers_firing },
	{ "alarm_set", alarm_set },
	{ "stack_for_signals_set", stack_for_signals_set },
	{ "process_stopped", process_stopped },
	{ NULL, NULL },
};
