/* A second thread of the checkpoint, which does what it is told in a signal handler. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ucontext.h>

static pthread_t other;
static void (*volatile errand)(ucontext_t *);

static void run_errand(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	errand(context);
	errand = NULL;
}

static void *wait_for_errands(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static inline void start_other(void)
{
	const struct sigaction action = { .sa_sigaction = run_errand, .sa_flags = SA_SIGINFO };

	MUST(!sigaction(SIGUSR1, &action, NULL) && !pthread_create(&other, NULL, wait_for_errands, NULL));
	usleep(20000);
}

/* Returns when it is done. What the end of a handler undoes is to be changed in the context. */
static inline void on_other(void (*run)(ucontext_t *))
{
	errand = run;
	MUST(!pthread_kill(other, SIGUSR1));
	while (errand)
		usleep(100);
	usleep(1000);
}
