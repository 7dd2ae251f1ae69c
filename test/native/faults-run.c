/* One run: a victim, one call of the library with one fault, and what became of them, decided by looking. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../native/rewind.h"
#include "faults.h"

#define HANGS_MS 20000
#define RESTLESS_US 5000
#define PAGES_AT_MOST (1U << 20)

const char *const run_phases[PHASES] = {
	"checkpoint", "rewind", "rewind, verified", "verify", "verify, changed", "level", "rewind to level", "rewind from level",
	"share level", "bring to level", "release",
	"template", "save", "load", "embryo", "boot", "birth", "birth, embryo struck", "proof",
};

/* -- The tracer ------------------------------------------------------------------------------------------------------------ */

static struct run *run;
static struct victim victim;
static struct rw_process *process, *shared;
static struct rw_error error;
static struct look was, is;

void run_finish(const char *outcome)
{
	snprintf(run->outcome, sizeof(run->outcome), "%s", outcome);
	run->detail[0] = 0;
	_exit(0);
}

/* The outcome is that from the start. */
void run_wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(run->detail, sizeof(run->detail), format, args);
	va_end(args);
	_exit(0);
}

static enum fault_kind kind(void)
{
	return run->watch.recording ? FAULT_KINDS : run->watch.aim.fault.kind;
}

/* Without a fault. */
static void checkpoint_again(const char *when)
{
	struct rw_summary summary;

	victim_settles(&victim, true);
	if (rw_checkpoint(victim.pid, run->rung, &process, &summary, &error))
		run_wrong("%s, a checkpoint fails: %s", when, error.what);
}

static void rewind_again(const char *when, bool is_changed)
{
	struct rw_timings timings;
	int failed = rw_rewind(process, 1, &timings, &error);

	if (is_changed && run->lost ? !failed : failed)
		run_wrong("%s, a verified rewind %s: %s (reason %u; the victim is %s)", when, failed ? "fails" : "succeeds",
		      error.what, error.reason, look_conditions[look_condition(victim.pid)]);
}

static void go_to_level(void)
{
	struct rw_summary summary;
	struct rw_timings timings;

	if (!run->changes_once)
		victim_change(&victim);
	victim_settles(&victim, true);
	if (rw_take_level(process, PAGES_AT_MOST, &summary, &error) || rw_rewind_to_level(process, 1, &timings, &error))
		run_wrong("before, there is no level: %s", error.what);
}

/* The level is the process's own, and stands for another one's: what comes there is put together of both. */
static void go_to_base_below_level(void)
{
	go_to_level();
	if (rw_share_level(process, &shared, &error))
		run_wrong("before, the level cannot be shared: %s", error.what);
	rewind_again("before", false);
	victim_settles(&victim, true);
}

static bool is_at_level(void)
{
	return run->phase == REWIND_TO_LEVEL || run->phase == REWIND_FROM_LEVEL;
}

/* The victim is changed before the call. */
static bool is_changed(void)
{
	return run->phase == REWIND || run->phase == REWIND_VERIFIED || run->phase == VERIFY_CHANGED ||
	       run->phase == LEVEL || run->phase == BRING || is_at_level();
}

/* Where the call answers 0 the victim equals an image. */
static bool is_put_back(void)
{
	return is_changed() && run->phase != VERIFY_CHANGED;
}

/* Up to the moment of the call. */
static void prepare(void)
{
	victim_await(&victim);
	victim_settles(&victim, true);
	if (run->phase != CHECKPOINT) {
		checkpoint_again("before");
		rewind_again("before", false);
		victim_settles(&victim, true);
	}
	if (is_at_level() || run->phase == SHARE)
		go_to_level();
	if (run->phase == BRING)
		go_to_base_below_level();
	if (is_changed())
		victim_change(&victim);
	run->has_threads = look_has_threads(victim.pid);
	if (run->watch.recording)
		usleep(RESTLESS_US);
	else if (!run->restless)
		victim_settles(&victim, true);
	if (run->restless)
		return;
	look_at(victim.pid, &was);
	if (run->watch.recording) {
		usleep(RESTLESS_US);
		look_at(victim.pid, &is);
		run->restless = look_difference(&was, &is) != NULL;
	}
}

static __attribute__((noinline)) void make_call(void)
{
	struct rw_summary summary;
	struct rw_timings timings;

	calls_begin(&run->watch, __builtin_frame_address(0));
	switch (run->phase) {
	case CHECKPOINT:
		run->result = rw_checkpoint(victim.pid, run->rung, &process, &summary, &error);
		break;
	case REWIND:
	case REWIND_VERIFIED:
		run->result = rw_rewind(process, run->phase == REWIND_VERIFIED, &timings, &error);
		break;
	case VERIFY:
	case VERIFY_CHANGED:
		run->result = rw_verify(process, &error);
		break;
	case LEVEL:
		run->result = rw_take_level(process, PAGES_AT_MOST, &summary, &error);
		break;
	case REWIND_TO_LEVEL:
		run->result = rw_rewind_to_level(process, 0, &timings, &error);
		break;
	case REWIND_FROM_LEVEL:
		run->result = rw_rewind(process, 0, &timings, &error);
		break;
	case SHARE:
		run->result = rw_share_level(process, &shared, &error);
		break;
	case BRING:
		run->result = rw_bring_to_level(process, shared, 0, &timings, &error);
		break;
	case RELEASE:
		rw_release(process);
		process = NULL;
		run->result = 0;
		break;
	case TEMPLATE:
	case SAVE:
	case LOAD:
	case EMBRYO:
	case BOOT:
	case BIRTH:
	case BIRTH_STRUCK:
	case PROOF:
	case PHASES:
		break;
	}
	calls_end();
}

/* In a process of its own, which does not outlive the fault. */
static void make_fatal_call(void)
{
	int status;
	pid_t tracer = fork();

	MUST(tracer >= 0);
	if (!tracer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_call();
		_exit(0);
	}
	MUST(waitpid(tracer, &status, 0) == tracer);
	if (!WIFSIGNALED(status) && run->watch.fired)
		run_wrong("the tracer outlived SIGKILL");
	if (run->phase == RELEASE) {
		rw_release(process);
		process = NULL;
	}
}

static bool is_as_before(void)
{
	if (run->restless)
		return true;
	victim_settles(&victim, true);
	look_at(victim.pid, &is);
	return !look_difference(&was, &is);
}

static int count_images(const char *maps)
{
	int count = 0;

	while ((maps = strstr(maps, "rewhisk-image")) && ++count)
		maps++;
	return count;
}

/* The tracer's death left the victim alive: it has not begun, or was through. What it had noted of a level died with it. */
static const char *judge_orphan(void)
{
	struct rw_timings timings;

	if (is_as_before())
		return "untouched";
	if (run->phase == CHECKPOINT && look_for_mapping(victim.pid, "rewhisk-image"))
		return "done";
	if ((run->phase == LEVEL || run->phase == BRING) && count_images(is.maps) > count_images(was.maps)) {
		kill(victim.pid, SIGKILL);
		run_finish("done");
	}
	if (run->phase == REWIND_FROM_LEVEL && !rw_rewind(process, 1, &timings, &error))
		return "done";
	if (is_put_back() && !rw_verify(process, &error))
		return "done";
	run_wrong("left alive and half done: %s differ, and %s", look_difference(&was, &is), error.what);
}

static const char *judge_living(void)
{
	if (run->phase == VERIFY || run->phase == SHARE || run->result) {
		if (run->result && !error.untouched)
			run_wrong("alive, but not called untouched: %s", error.what);
		if (!is_as_before())
			run_wrong("called untouched, but %s differ: %s", look_difference(&was, &is), error.what);
		return run->result ? "untouched" : "done";
	}
	if (run->refuses)
		run_wrong("answers 0, and without the fault it does not");
	if (is_put_back() && rw_verify(process, &error))
		run_wrong("answers 0, but %s", error.what);
	return "done";
}

static void judge_dead(void)
{
	struct rw_timings timings;
	const bool is_killed = kind() == KILLED || kind() == DYING;

	if (kind() != TRACER_KILLED && run->phase != RELEASE) {
		if (!run->result && !is_killed)
			run_wrong("answers 0, but the victim is dead");
		if (run->result && error.untouched && error.reason != RW_PROCESS_GONE && !is_killed)
			run_wrong("called untouched, but dead: %s", error.what);
	}
	if (process && (!rw_rewind(process, 0, &timings, &error) || error.reason != RW_PROCESS_GONE))
		run_wrong("dead, and the next call says: %s", error.what);
}

/* It must be as good as before: checkpoint, change, rewind. */
static void use_again(const char *outcome)
{
	if (!process)
		checkpoint_again(outcome);
	if (is_changed())
		rewind_again(outcome, outcome[0] == 'u' || run->phase == VERIFY_CHANGED);
	if (run->lost)
		return;
	victim_settles(&victim, false);
	victim_change(&victim);
	rewind_again(outcome, true);
}

static void look_for_leaks(int descriptors)
{
	if (waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD)
		run_wrong("a thread is still traced");
	rw_release(process);
	rw_release(shared);
	process = shared = NULL;
	if (calls_live_allocations())
		run_wrong("%ld pieces of memory are not freed", (long)calls_live_allocations());
	if (look_descriptors_of_ours() != descriptors)
		run_wrong("%d descriptors are left open", look_descriptors_of_ours() - descriptors);
	if (look_for_mapping(getpid(), "rewhisk"))
		run_wrong("the image or the table is left mapped");
}

static _Noreturn void trace(void)
{
	const int descriptors = look_descriptors_of_ours();
	const char *outcome = "tainted";
	bool is_alive;

	prepare();
	if (kind() == TRACER_KILLED)
		make_fatal_call();
	else
		make_call();
	if (!run->watch.recording && !run->watch.fired)
		run_finish("unreached");
	if (waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD)
		run_wrong("a thread is still traced: %s", error.what);
	if (kind() == STOPPED)
		kill(victim.pid, SIGCONT);
	do
		is_alive = victim_settles(&victim, false);
	while (is_alive && (kind() == KILLED || kind() == DYING));
	if (is_alive) {
		outcome = kind() == TRACER_KILLED ? judge_orphan() : judge_living();
		use_again(outcome);
	} else {
		judge_dead();
	}
	look_for_leaks(descriptors);
	run_finish(outcome);
}

/* -- Both ---------------------------------------------------------------------------------------------------------------- */

/* Whether the process ended before long by itself. */
static bool ends(pid_t pid, int *status)
{
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool in_time = poll(&ended, 1, HANGS_MS) == 1;

	close(ended.fd);
	if (!in_time)
		kill(pid, SIGKILL);
	MUST(waitpid(pid, status, 0) == pid);
	return in_time;
}

void run_await_end(pid_t tracer, int *status)
{
	if (!ends(tracer, status))
		snprintf(run->detail, sizeof(run->detail), "the library hangs");
	else if (*status)
		snprintf(run->detail, sizeof(run->detail), "the tracer ended with status %x", (unsigned int)*status);
	if (*status)
		snprintf(run->outcome, sizeof(run->outcome), "WRONG");
}

void run_one(struct run *of, int cpu)
{
	int status;
	pid_t tracer;

	run = of;
	run->watch.fired = run->watch.is_launcher = false;
	run->watch.count = 0;
	snprintf(run->outcome, sizeof(run->outcome), "WRONG");
	snprintf(run->detail, sizeof(run->detail), "no outcome");
	/* Whoever was half born when its embryo was killed lies in a container, which we wait for. */
	prctl(PR_SET_CHILD_SUBREAPER, run->phase <= RELEASE);
	if (run->phase > RELEASE) {
		boot_run_one(run, cpu);
		return;
	}
	victim = victim_start(run->program, cpu);
	run->watch.victim = victim.pid;
	tracer = fork();
	MUST(tracer >= 0);
	if (!tracer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		trace();
	}
	run_await_end(tracer, &status);
	if (!strcmp(run->outcome, "tainted") && !victim_reap(&victim)) {
		snprintf(run->outcome, sizeof(run->outcome), "WRONG");
		snprintf(run->detail, sizeof(run->detail), "dead, but its parent cannot reap it");
	}
	victim_end(&victim);
}
