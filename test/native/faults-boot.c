/* One run of a boot: a template, an embryo and a container, one call of the library with one fault, and what became of all of them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../native/rewind.h"
#include "faults.h"

#define PATIENCE_MS 5000
#define LOOK_US 200
#define GIVEN 5 /* of a launcher's descriptors */

/* What is booted from, made once by each process that runs cases, and made anew where it has been used up. */
static struct {
	pid_t owner;
	const char *program;
	uint32_t rung;
	struct rw_process *process, *template, *embryo;
	struct being mother;	/* the embryo's process */
	char *bytes;		/* the template as a file */
	uint64_t length;
} ground;

static struct run *run;
static struct being waiting, container, spare;
static struct rw_process *made;	/* by the call */
static struct rw_error error;
static int file = -1;

static enum fault_kind kind(void)
{
	return run->watch.recording ? FAULT_KINDS : run->watch.aim.fault.kind;
}

static bool is_killing(void)
{
	return kind() == KILLED || kind() == DYING;
}

/* Within a while. */
static bool comes(bool (*holds)(const struct being *being), const struct being *being)
{
	for (int us = 0; us < PATIENCE_MS * 1000; us += LOOK_US) {
		if (holds(being))
			return true;
		usleep(LOOK_US);
	}
	return false;
}

static bool is_dead(const struct being *being)
{
	return look_condition(being->pid) == DEAD;
}

static bool is_empty(const struct being *being)
{
	return is_dead(being) || !look_for_child(being->pid);
}

static bool is_parked(const struct being *being)
{
	return look_is_parked(being->pid) && !look_for_child(being->pid);
}

static bool waits_for_word(const struct being *being)
{
	return look_waits_for_word(being->pid);
}

/* Before anything is at stake. */
static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, error.what);
	exit(1);
}

/* -- The ground ------------------------------------------------------------------------------------------------------------ */

static void make_template(int cpu)
{
	struct being being = being_start(run->program, BEING_STARTED, cpu);
	struct rw_summary summary;
	int fd;

	while (!look_waits(being.pid, true))
		usleep(LOOK_US);
	if (rw_checkpoint(being.pid, run->rung, &ground.process, &summary, &error) ||
	    rw_template(ground.process, &ground.template, &error))
		give_up("no template");
	being_end(&being);
	MUST((fd = memfd_create("template", MFD_CLOEXEC)) >= 0);
	if (rw_template_save(ground.template, fd, &error))
		give_up("the template cannot be saved");
	MUST((ground.length = (uint64_t)lseek(fd, 0, SEEK_END)) > 0);
	ground.bytes = mmap(NULL, ground.length, PROT_READ, MAP_PRIVATE, fd, 0);
	MUST(ground.bytes != MAP_FAILED);
	close(fd);
}

static void make_embryo(int cpu)
{
	ground.mother = being_start(run->program, BEING_WAITING_HERE, cpu);
	if (rw_embryo(ground.template, ground.mother.pid, ground.mother.go, &ground.embryo, &error))
		give_up("no embryo");
}

void boot_end(void)
{
	if (ground.owner == getpid()) {
		being_end(&ground.mother);
		rw_release(ground.embryo);
		rw_release(ground.template);
		rw_release(ground.process);
		munmap(ground.bytes, ground.length);
	}
	ground.owner = 0;
}

static void make_ground(int cpu)
{
	if (ground.owner != getpid() || ground.program != run->program || ground.rung != run->rung) {
		boot_end();
		ground.owner = getpid();
		ground.program = run->program;
		ground.rung = run->rung;
		make_template(cpu);
		make_embryo(cpu);
	} else if (is_dead(&ground.mother)) {
		being_end(&ground.mother);
		rw_release(ground.embryo);
		make_embryo(cpu);
	}
}

/* -- The tracer ------------------------------------------------------------------------------------------------------------ */

static int be_born(const struct being *launcher, bool verify, struct rw_process **process)
{
	struct rw_summary summary;

	return rw_boot_from(ground.embryo, launcher->pid, launcher->pidfd, 0, 0, run->joins, run->joins_length, GIVEN, verify,
			    process, &summary, &error);
}

static int boot(struct rw_process *template, struct rw_process **process)
{
	struct rw_summary summary;

	return rw_boot(template, waiting.pid, waiting.go, 1, process, &summary, &error);
}

static __attribute__((noinline)) void make_call(void)
{
	struct rw_timings timings;

	calls_begin(&run->watch, __builtin_frame_address(0));
	switch (run->phase) {
	case TEMPLATE:
		run->result = rw_template(ground.process, &made, &error);
		break;
	case SAVE:
		run->result = rw_template_save(ground.template, file, &error);
		break;
	case LOAD:
		run->result = rw_template_load(ground.bytes, ground.length, &made, &error);
		break;
	case EMBRYO:
		run->result = rw_embryo(ground.template, waiting.pid, waiting.go, &made, &error);
		break;
	case BOOT:
		run->result = boot(ground.template, &made);
		break;
	case BIRTH:
	case BIRTH_STRUCK:
		run->result = be_born(&container, true, &made);
		break;
	case PROOF:
		run->result = rw_rewind(made, 1, &timings, &error);
		break;
	case CHECKPOINT:
	case REWIND:
	case REWIND_VERIFIED:
	case VERIFY:
	case VERIFY_CHANGED:
	case LEVEL:
	case REWIND_TO_LEVEL:
	case REWIND_FROM_LEVEL:
	case SHARE:
	case BRING:
	case RELEASE:
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
	run->result = -EOWNERDEAD;
}

/* It equals the image, and goes on as it does; `process`: NULL where whoever could compare them is dead. */
static void require_booted(const struct being *being, pid_t pid, struct rw_process *process)
{
	const struct victim victim = { pid, being->to, being->from };
	struct rw_timings timings;

	if (!pid || !victim_settles(&victim, true))
		run_wrong("answers 0, but the process is dead");
	if (process && rw_verify(process, &error))
		run_wrong("answers 0, but %s", error.what);
	victim_change(&victim);
	if (process && rw_rewind(process, 1, &timings, &error))
		run_wrong("booted, and a verified rewind fails: %s", error.what);
}

static void require_born(const struct being *launcher, const char *when)
{
	struct rw_process *process;

	if (be_born(launcher, true, &process))
		run_wrong("%s, nobody is born any more: %s", when, error.what);
	require_booted(launcher, look_for_child(launcher->pid), process);
	rw_release(process);
}

/* A process that was to become another. */
static const char *judge_refused(void)
{
	const bool is_orphan = kind() == TRACER_KILLED;

	if ((is_killing() || (!is_orphan && !error.untouched)) && !comes(is_dead, &waiting))
		run_wrong("refused, and it lives: %s (%s)", look_conditions[look_condition(waiting.pid)], error.what);
	/* Its tracer's end may yet be on the way to it. */
	for (int us = 0; us < PATIENCE_MS * 1000 && !is_dead(&waiting); us += LOOK_US) {
		if (waits_for_word(&waiting) && look_condition(waiting.pid) == RUNNING)
			return "untouched";
		if (is_orphan && run->phase == EMBRYO && look_is_parked(waiting.pid))
			return "done";
		if (is_orphan && run->phase == BOOT && look_waits(waiting.pid, true) && look_condition(waiting.pid) == RUNNING) {
			if (!look_for_mapping(waiting.pid, "rewhisk-table"))
				run_wrong("nobody has booted it, and it runs");
			require_booted(&waiting, waiting.pid, NULL);
			return "done";
		}
		usleep(LOOK_US);
	}
	if (is_dead(&waiting))
		return "tainted";
	run_wrong("refused, and neither dead nor as it was: %s (%s)", look_conditions[look_condition(waiting.pid)], error.what);
}

static const char *judge_waiting(void)
{
	if (run->result)
		return judge_refused();
	if (is_killing()) {
		if (!comes(is_dead, &waiting))
			run_wrong("killed, and it lives");
		return "tainted";
	}
	if (run->phase == BOOT) {
		require_booted(&waiting, waiting.pid, made);
	} else {
		struct rw_process *other = ground.embryo;

		if (!comes(is_parked, &waiting))
			run_wrong("answers 0, but the embryo does not sleep");
		ground.embryo = made;
		require_born(&container, "answers 0");
		ground.embryo = other;
	}
	return "done";
}

/* The embryo is dead, or as good as before. */
static const char *judge_mother(const char *outcome)
{
	if (run->phase == BIRTH_STRUCK && is_killing() && !comes(is_dead, &ground.mother))
		run_wrong("the embryo was killed, and lives");
	for (int us = 0; us < PATIENCE_MS * 1000 && !is_dead(&ground.mother); us += LOOK_US) {
		if (is_parked(&ground.mother)) {
			require_born(&spare, outcome);
			return outcome;
		}
		usleep(LOOK_US);
	}
	if (!is_dead(&ground.mother))
		run_wrong("the embryo neither sleeps alone nor is dead: %s", look_conditions[look_condition(ground.mother.pid)]);
	return run->result ? "tainted" : outcome;
}

static const char *judge_birth(void)
{
	pid_t child;

	if (is_killing() && run->phase == BIRTH) {
		if (!comes(is_dead, &container))
			run_wrong("the container was killed, and lives: %s", error.what);
		return judge_mother("tainted");
	}
	if (kind() == TRACER_KILLED) {
		/* Whoever was traced is dead before long; whoever is not is booted. */
		do
			child = look_for_child(container.pid);
		while (child && !look_waits(child, true) && usleep(LOOK_US) == 0);
		if (child)
			require_booted(&container, child, NULL);
		return judge_mother(child ? "done" : "untouched");
	}
	if (!run->result) {
		require_booted(&container, look_for_child(container.pid), made);
		return judge_mother("done");
	}
	if (!comes(is_empty, &container))
		run_wrong("refused, and process %d is in the container: %s", look_for_child(container.pid), error.what);
	return judge_mother("untouched");
}

static const char *judge_proof(void)
{
	const pid_t child = look_for_child(container.pid);
	struct rw_timings timings;

	if (kind() == TRACER_KILLED) {
		if (!child || !victim_settles(&(struct victim){ child, container.to, container.from }, true))
			return "tainted";
		if (rw_rewind(made, 1, &timings, &error))
			run_wrong("left alive, and not to be put back: %s", error.what);
		return "done";
	}
	if (is_killing() || (run->result && !error.untouched)) {
		if (!comes(is_empty, &container))
			run_wrong("not called untouched, and it lives: %s", error.what);
		return "tainted";
	}
	require_booted(&container, child, made);
	return run->result ? "untouched" : "done";
}

static const char *judge_template(void)
{
	struct rw_process *process;

	if (run->result)
		return "untouched";
	if (run->phase == SAVE) {
		char *bytes = malloc(ground.length);

		MUST(bytes);
		if (lseek(file, 0, SEEK_END) != (off_t)ground.length || pread(file, bytes, ground.length, 0) != (ssize_t)ground.length ||
		    memcmp(bytes, ground.bytes, ground.length))
			run_wrong("answers 0, and the file has other bytes");
		free(bytes);
		return "done";
	}
	if (boot(made, &process))
		run_wrong("answers 0, and cannot be booted from: %s", error.what);
	require_booted(&waiting, waiting.pid, process);
	rw_release(process);
	return "done";
}

static const char *judge(void)
{
	/* Nothing of the library continues what has been stopped. */
	if (kind() == STOPPED)
		kill(run->watch.victim, SIGCONT);
	if (run->watch.recording && run->result)
		run_wrong("refuses without a fault: %s", error.what);
	if (run->phase <= LOAD)
		return judge_template();
	if (run->phase <= BOOT)
		return judge_waiting();
	return run->phase == PROOF ? judge_proof() : judge_birth();
}

static _Noreturn void trace(void)
{
	const int descriptors = look_descriptors_of_ours(), mappings = look_count_mappings(getpid(), "rewhisk");
	const int64_t allocations = calls_live_allocations();
	const char *outcome;

	/* As Node has it. */
	signal(SIGPIPE, SIG_IGN);
	made = NULL;
	if (run->phase == PROOF) {
		if (be_born(&container, false, &made))
			run_wrong("before, nobody is born: %s", error.what);
		run->watch.victim = look_for_child(container.pid);
	}
	if (kind() == TRACER_KILLED)
		make_fatal_call();
	else
		make_call();
	if (!run->watch.recording && !run->watch.fired)
		run_finish("unreached");
	if (waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD)
		run_wrong("a thread is still traced: %s", error.what);
	outcome = judge();
	rw_release(made);
	if (calls_live_allocations() != allocations)
		run_wrong("%ld pieces of memory are not freed: %s", (long)(calls_live_allocations() - allocations), error.what);
	if (look_descriptors_of_ours() != descriptors)
		run_wrong("%d descriptors are left open: %s", look_descriptors_of_ours() - descriptors, error.what);
	if (look_count_mappings(getpid(), "rewhisk") != mappings)
		run_wrong("the image or the table is left mapped: %s", error.what);
	run_finish(outcome);
}

/* -- Both ------------------------------------------------------------------------------------------------------------------ */

static pid_t struck(void)
{
	return run->phase == BIRTH ? container.pid : run->phase == BIRTH_STRUCK ? ground.mother.pid : waiting.pid;
}

void boot_run_one(struct run *of, int cpu)
{
	const bool is_birth = of->phase >= BIRTH;
	int status;
	pid_t tracer;

	run = of;
	run->has_threads = run->restless = false;
	run->watch.is_launcher = run->phase == BIRTH;
	make_ground(cpu);
	waiting = container = spare = (struct being){ 0, 0, -1, -1, -1, -1 };
	if (!is_birth)
		waiting = being_start(run->program, run->phase == EMBRYO ? BEING_WAITING_HERE : BEING_WAITING, cpu);
	if (is_birth || run->phase == EMBRYO)
		container = being_start(run->program, BEING_VACANT, cpu);
	if (is_birth)
		spare = being_start(run->program, BEING_VACANT, cpu);
	MUST((file = memfd_create("saved", MFD_CLOEXEC)) >= 0);
	run->watch.victim = struck();
	tracer = fork();
	MUST(tracer >= 0);
	if (!tracer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		trace();
	}
	run_await_end(tracer, &status);
	close(file);
	/* Whatever was found to be wrong is nobody else's. */
	if (!strcmp(run->outcome, "WRONG"))
		boot_end();
	being_end(&waiting);
	being_end(&container);
	being_end(&spare);
}
