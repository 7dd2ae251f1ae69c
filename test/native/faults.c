/* Makes each step of a checkpoint and of a rewind fail once, and sees that the process is untouched or dead, never between. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../native/rewind.h"

void rw_fail_step(int32_t step);
int32_t rw_steps_left(void);

#define MUST(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), exit(1)))

struct victim {
	pid_t pid;
	int to, from;
};

static void await(const struct victim *victim)
{
	char answer;

	MUST(read(victim->from, &answer, 1) == 1);
}

static struct victim start(const char *program)
{
	int to[2], from[2];
	struct victim victim;

	MUST(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC));
	victim.pid = fork();
	MUST(victim.pid >= 0);
	if (victim.pid == 0) {
		int in = fcntl(to[0], F_DUPFD, 10), out = fcntl(from[1], F_DUPFD, 10);

		dup2(in, 3);
		dup2(out, 4);
		close(in);
		close(out);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	victim.to = to[1];
	victim.from = from[0];
	await(&victim);
	return victim;
}

static void end(struct victim *victim)
{
	close(victim->to);
	close(victim->from);
	kill(victim->pid, SIGKILL);
	waitpid(victim->pid, NULL, 0);
}

static int is_alive(const struct victim *victim)
{
	siginfo_t seen = { 0 };

	/* The library has collected a child of ours that it killed while tracing it. */
	if (waitid(P_PID, (id_t)victim->pid, &seen, WEXITED | WNOHANG | WNOWAIT))
		return 0;
	return seen.si_pid == 0;
}

static int checkpoint(const struct victim *victim, uint32_t rung, int32_t fault, struct rw_process **process,
		      struct rw_error *error)
{
	const struct timespec moment = { 0, 1000000 };
	struct rw_summary summary;
	int failed;

	do {
		nanosleep(&moment, NULL);
		rw_fail_step(fault);
		failed = rw_checkpoint(victim->pid, rung, process, &summary, error);
	} while (failed && error->reason == RW_NOT_QUIESCENT);
	return failed;
}

/* Gives 0 once there is no such step. */
static int fail_in_checkpoint(const char *program, uint32_t rung, int32_t step)
{
	struct victim victim = start(program);
	struct rw_process *process = NULL;
	struct rw_error error;
	int failed = checkpoint(&victim, rung, step, &process, &error), was_reached = rw_steps_left() < 0;

	rw_fail_step(-1);
	MUST(was_reached == (failed != 0));
	if (failed && error.untouched) {
		MUST(is_alive(&victim));
		MUST(checkpoint(&victim, rung, -1, &process, &error) == 0);
	} else if (failed) {
		MUST(!is_alive(&victim));
	}
	rw_release(process);
	end(&victim);
	return was_reached;
}

static int fail_in_rewind(const char *program, uint32_t rung, int32_t step)
{
	struct victim victim = start(program);
	struct rw_process *process = NULL;
	struct rw_timings timings;
	struct rw_error error;
	int failed, was_reached;

	MUST(checkpoint(&victim, rung, -1, &process, &error) == 0);
	MUST(write(victim.to, "d", 1) == 1);
	await(&victim);
	rw_fail_step(step);
	failed = rw_rewind(process, 0, &timings, &error);
	was_reached = rw_steps_left() < 0;
	rw_fail_step(-1);
	MUST(was_reached == (failed != 0));
	if (failed && error.untouched) {
		MUST(is_alive(&victim));
		failed = rw_rewind(process, 1, &timings, &error);
		if (failed)
			fprintf(stderr, "%s, step %d: %s\n", program, step, error.what);
		MUST(!failed);
	} else if (failed) {
		MUST(!is_alive(&victim));
	}
	rw_release(process);
	end(&victim);
	return was_reached;
}

int main(int argc, char **argv)
{
	int steps = 0;

	MUST(argc > 1);
	for (int i = 1; i < argc; i++)
		for (uint32_t rung = RW_WRITE_PROTECT; rung <= RW_COPY_ALL; rung += 2) {
			for (int32_t step = 0; fail_in_checkpoint(argv[i], rung, step); step++)
				steps++;
			for (int32_t step = 0; fail_in_rewind(argv[i], rung, step); step++)
				steps++;
		}
	printf("%d\n", steps);
	return 0;
}
