/* The probe: which rungs put a real process back on this kernel, found out by doing it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 9
#define ANSWER_MS 5000	/* a busy machine may hold it up for seconds, and a rung is lost for as long as the invoker lives */
#define QUIET_TRIES 200

struct victim {
	pid_t pid;
	int to, from;
};

static void end_victim(struct victim *victim)
{
	rw_close(&victim->to);
	rw_close(&victim->from);
	if (victim->pid > 0) {
		kill(victim->pid, SIGKILL);
		while (waitpid(victim->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	victim->pid = 0;
}

static int await_answer(const struct victim *victim, struct rw_error *error)
{
	struct pollfd readable = { .fd = victim->from, .events = POLLIN };
	char answer;

	if (poll(&readable, 1, ANSWER_MS) != 1 || read(victim->from, &answer, 1) != 1)
		return rw_fail(error, RW_SYSTEM, 0, "the probe's victim does not answer");
	if (answer != 'r')
		return rw_fail(error, RW_DIFFERENCE, 0, "the probe's victim does not find its own memory");
	return 0;
}

static int command(const struct victim *victim, const char *what, struct rw_error *error)
{
	if (write(victim->to, what, 1) != 1)
		return rw_fail(error, RW_SYSTEM, errno, "cannot command the victim");
	return await_answer(victim, error);
}

static int start_victim(const char *path, struct victim *victim, struct rw_error *error)
{
	char *const argv[] = { (char *)(uintptr_t)path, NULL }, *const environment[] = { NULL };
	int to[2] = { -1, -1 }, from[2] = { -1, -1 };
	posix_spawn_file_actions_t actions;
	int failed;

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) {
		rw_close(&to[0]);
		rw_close(&to[1]);
		return rw_fail(error, RW_SYSTEM, errno, "pipe");
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, to[0], 0);
	posix_spawn_file_actions_adddup2(&actions, from[1], 1);
	/* Whatever it inherited would be fetched by the checkpoint, and closing that would end our own locks on it. */
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	failed = posix_spawn(&victim->pid, path, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	rw_close(&to[0]);
	rw_close(&from[1]);
	victim->to = to[1];
	victim->from = from[0];
	if (failed) {
		victim->pid = 0;
		return rw_fail(error, RW_SYSTEM, failed, "cannot start %s", path);
	}
	return await_answer(victim, error);
}

/* The victim answers a moment before it blocks: asks again until it does. */
static int checkpoint_victim(const struct victim *victim, uint32_t rung, struct rw_process **process,
			     struct rw_error *error)
{
	const struct timespec moment = { 0, 1000000 };
	struct rw_summary summary;
	int failed = -EAGAIN;

	for (int try = 0; try < QUIET_TRIES; try++) {
		failed = rw_checkpoint(victim->pid, rung, process, &summary, error);
		if (!failed || error->reason != RW_NOT_QUIESCENT)
			return failed;
		nanosleep(&moment, NULL);
	}
	return failed;
}

/* One round: change, see that the oracle notices, rewind with the oracle watching, have the victim look for itself. */
static int round_of(const struct victim *victim, struct rw_process *process, double *took_us, struct rw_error *error)
{
	struct rw_timings timings;
	int failed = command(victim, "d", error);

	if (failed)
		return failed;
	failed = rw_verify(process, error);
	if (!failed)
		return rw_fail(error, RW_DIFFERENCE, 0, "verify did not notice the changes");
	if (error->reason != RW_DIFFERENCE)
		return failed;
	failed = rw_rewind(process, 1, &timings, error);
	*took_us = timings.total_us - timings.verify_us;
	return failed ? failed : command(victim, "c", error);
}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static int prove(const struct victim *victim, uint32_t rung, double *median_us, struct rw_error *error)
{
	struct rw_process *process = NULL;
	double took[ROUNDS];
	int failed = checkpoint_victim(victim, rung, &process, error);

	for (int i = 0; i < ROUNDS && !failed; i++)
		failed = round_of(victim, process, &took[i], error);
	rw_release(process);
	if (failed)
		return failed;
	qsort(took, ROUNDS, sizeof(*took), ascending);
	*median_us = took[ROUNDS / 2];
	return 0;
}

int rw_probe(const char *path, struct rw_rung_result results[3], struct rw_error *error)
{
	*error = (struct rw_error){ .untouched = 1 };
	for (uint32_t rung = RW_WRITE_PROTECT; rung <= RW_COPY_ALL; rung++) {
		struct victim victim cleanup_(end_victim) = { 0, -1, -1 };
		struct rw_rung_result *result = &results[rung - RW_WRITE_PROTECT];
		struct rw_error why = { 0 };
		int failed = start_victim(path, &victim, error);

		*result = (struct rw_rung_result){ .rung = rung };
		if (failed)
			return failed;
		result->proven = prove(&victim, rung, &result->rewind_us, &why) == 0;
		memcpy(result->why, why.what, sizeof(result->why) - 1);
	}
	return 0;
}
