/* The victim of a run: started, waited for, told to change, reaped. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

#define PATIENCE_MS 5000
#define LOOK_US 50
#define LOOK_US_AT_MOST 2000

static void become_victim(const char *program, int in, int out, int cpu)
{
	int null = open("/dev/null", O_RDWR);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	/* Where it can run on one CPU only, the kernel never writes another number into its rseq area. */
	sched_setaffinity(0, sizeof(one), &one);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(IGNORED_SIGNAL, SIG_IGN);
	in = fcntl(in, F_DUPFD, 10);
	out = fcntl(out, F_DUPFD, 10);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	dup2(in, 3);
	dup2(out, 4);
	close_range(5, ~0U, 0);
	execl(program, program, (char *)NULL);
	_exit(127);
}

struct victim victim_start(const char *program, int cpu)
{
	int to[2], from[2];
	struct victim victim;

	MUST(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC));
	victim = (struct victim){ fork(), to[1], from[0] };
	MUST(victim.pid >= 0);
	if (!victim.pid)
		become_victim(program, to[0], from[1], cpu);
	close(to[0]);
	close(from[1]);
	return victim;
}

bool victim_reap(const struct victim *victim)
{
	for (int us = 0; us < PATIENCE_MS * 1000; us += LOOK_US) {
		if (waitpid(victim->pid, NULL, WNOHANG) == victim->pid)
			return true;
		usleep(LOOK_US);
	}
	return false;
}

void victim_end(const struct victim *victim)
{
	kill(-victim->pid, SIGKILL);
	close(victim->to);
	close(victim->from);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}

bool victim_settles(const struct victim *victim, bool all)
{
	for (useconds_t us = LOOK_US, waited = 0; waited < PATIENCE_MS * 1000; waited += us) {
		if (look_waits(victim->pid, all))
			return true;
		if (look_condition(victim->pid) == DEAD)
			return false;
		usleep(us);
		us = us < LOOK_US_AT_MOST ? us * 2 : us;
	}
	run_wrong("the victim neither waits for a command nor is dead: %s", look_conditions[look_condition(victim->pid)]);
}

void victim_await(const struct victim *victim)
{
	struct pollfd answered = { .fd = victim->from, .events = POLLIN };
	char answer;

	if (poll(&answered, 1, PATIENCE_MS) != 1 || read(victim->from, &answer, 1) != 1)
		run_wrong("the victim does not answer");
	if (!victim_settles(victim, false))
		run_wrong("the victim has ended by itself");
}

void victim_change(const struct victim *victim)
{
	if (write(victim->to, "d", 1) != 1)
		run_wrong("the victim takes no command");
	victim_await(victim);
}
