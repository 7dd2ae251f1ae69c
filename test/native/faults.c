/* Makes each call of a checkpoint, level, rewind, verification, release or boot go wrong, and tells what became of the process. */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults [--all] VICTIM... --boots VICTIM...
 * faults --case VICTIM RUNG PHASE SITE OCCURRENCE FAULT NUMBER		one run, with the values of its line
 *
 * First each victim and rung without a fault: which calls there are, and by which ways the library comes to make them.
 * Then one run for each site, its first, second and last call, and each fault that makes sense for it. Without --all,
 * what one victim and rung has shown for a site is not repeated with the next, but for the deaths, once, where it has threads.
 *
 * Prints, separated by tabs:	none FUNCTION FAULT REASON
 *				call PHASE STEP FUNCTION
 *				case VICTIM RUNG PHASE STEP FUNCTION SITE OCCURRENCE FAULT NUMBER OUTCOME DETAIL WAY
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../native/rewind.h"
#include "faults.h"

#define WORKERS 2
#define VICTIMS_AT_MOST 32
#define SITES_AT_MOST 4096
#define CASES_AT_MOST (1U << 20)
#define TRIES 3
#define SAMPLED_OF 16

struct subject {
	const char *program;
	uint32_t rung;
	enum phase phase;
	bool restless, refuses, lost, has_threads, changes_once, has_level, is_shareable;
};

struct one_case {
	struct subject subject;
	struct call call;
	struct aim aim;
};

struct site {
	struct call call;
	uint32_t count;
};

static struct one_case *cases;
static uint32_t case_count;
static struct run *run;

static const char *name_of(const char *program)
{
	const char *slash = strrchr(program, '/');

	return slash ? slash + 1 : program;
}

static void *share(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	MUST(at != MAP_FAILED);
	return at;
}

/* By which a process joins the cgroups that we are in already. */
static void add_joins(struct run *of)
{
	static const char *const files[] = { "/sys/fs/cgroup/pids/tasks", "/sys/fs/cgroup/unified/cgroup.procs",
					     "/sys/fs/cgroup/cgroup.procs" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (!access(files[i], W_OK)) {
			strcpy(of->joins + of->joins_length, files[i]);
			of->joins_length += strlen(files[i]) + 1;
		}
}

static struct run *share_run(void)
{
	struct run *of = share(sizeof(*of));

	add_joins(of);
	return of;
}

static void take_up(const struct subject *subject)
{
	run->program = subject->program;
	run->rung = subject->rung;
	run->phase = subject->phase;
	run->restless = subject->restless;
	run->refuses = subject->refuses;
	run->lost = subject->lost;
	run->changes_once = subject->changes_once;
}

/* Without a fault. The sites, in the order of their first calls. */
static uint32_t record(struct subject *subject, struct site sites[SITES_AT_MOST])
{
	uint32_t count = 0;

	subject->refuses = false;
	take_up(subject);
	run->watch.recording = true;
	run_one(run, 0);
	run->watch.recording = false;
	if (!strcmp(run->outcome, "WRONG")) {
		fprintf(stderr, "%s, %s without a fault: %s\n", name_of(subject->program), run_phases[subject->phase], run->detail);
		exit(1);
	}
	/* A level that is not shared is refused before any call. */
	MUST((run->watch.count > 0 || subject->phase == SHARE) && run->watch.count < CALLS_AT_MOST);
	subject->refuses = run->result != 0;
	subject->restless = run->restless;
	subject->has_threads = run->has_threads;
	for (uint32_t i = 0; i < run->watch.count; i++) {
		uint32_t at = 0;

		while (at < count && sites[at].call.site != run->watch.calls[i].site)
			at++;
		MUST(at < SITES_AT_MOST);
		if (at == count)
			sites[count++] = (struct site){ .call = run->watch.calls[i] };
		sites[at].count++;
	}
	return count;
}

/* Whether it is new. */
static bool remember(uint64_t key)
{
	static uint64_t seen[CASES_AT_MOST * 2];
	uint64_t at = key % (CASES_AT_MOST * 2);

	while (seen[at] && seen[at] != key)
		at = (at + 1) % (CASES_AT_MOST * 2);
	if (seen[at])
		return false;
	seen[at] = key;
	return true;
}

static const char no_process[] = "no process has a part in it", once_before[] = "it fails as where the container is struck",
		  same_tracer[] = "the tracer is the one of the other births";

/* Of all calls of a phase. NULL: there is a fault of this kind. */
static const char *why_not_in(enum phase phase, enum fault_kind kind)
{
	if (phase == TEMPLATE || phase == SAVE || phase == LOAD)
		return kind <= SHORT ? NULL : no_process;
	if (phase != BIRTH_STRUCK)
		return NULL;
	return kind <= SHORT ? once_before : kind == TRACER_KILLED ? same_tracer : NULL;
}

static uint64_t row_of(const struct call *call)
{
	return (uint64_t)(uintptr_t)call->function << 20 ^ (uint64_t)(uintptr_t)call->step;
}

/* Of boots, which make far more calls than a rewind: every one fails, and all else befalls one of some, and each function once. */
static bool is_sample(enum phase phase, const struct site *site, enum fault_kind kind)
{
	if (phase <= RELEASE || kind == FAILS)
		return true;
	return remember((row_of(&site->call) * PHASES + phase) * FAULT_KINDS + kind + 1) ||
	       ((site->call.site ^ (uint64_t)kind) * 0x9e3779b97f4a7c15ULL >> 32) % SAMPLED_OF == 0;
}

/* Whether there are any that have not been there before. */
static bool add_cases(const struct subject *subject, const struct site *site, bool all)
{
	/* A rewind with the oracle is the other and more. */
	const enum phase phase = subject->phase == REWIND_VERIFIED ? REWIND : subject->phase;
	/* What a level does is for the most part what a checkpoint and a rewind do: once there, it is the way to it that is new. */
	const bool is_of_level = phase == LEVEL || phase == REWIND_TO_LEVEL || phase == REWIND_FROM_LEVEL ||
				 phase == SHARE || phase == BRING;
	const uint32_t most = is_of_level || phase > RELEASE ? 0 : 2;
	/* Whether a boot sleeps between two looks is a matter of the moment. */
	const bool is_of_luck = phase > RELEASE && !strcmp(site->call.function, "nanosleep");
	const uint32_t before = case_count;
	const uint32_t occurrences[] = { 0, 1, site->count - 1 };
	struct fault faults[FAULTS_AT_MOST];
	int count = kinds_of(site->call.function, all ? FAULTS_AT_MOST : 1, faults);

	if (count < 0) {
		fprintf(stderr, "faults-kinds.c does not say what can go wrong with %s\n", site->call.function);
		exit(1);
	}
	for (uint32_t which = 0; which < 3 && which < site->count; which++)
		for (int i = 0; i < count; i++) {
			const uint64_t fault = (uint64_t)faults[i].kind << 16 | (uint64_t)faults[i].number;
			const bool is_death = faults[i].kind == KILLED || faults[i].kind == DYING || faults[i].kind == TRACER_KILLED;
			const bool is_other = subject->has_threads && is_death;
			const uint64_t key = site->call.site * 0x9e3779b97f4a7c15ULL ^ fault << 10 ^ which << 7 ^
					     (uint64_t)is_other << 6 ^ phase;

			if (why_not_in(phase, faults[i].kind) || is_of_luck || (phase > RELEASE && which > most))
				continue;
			if (!all && (which > most || !is_sample(phase, site, faults[i].kind)))
				continue;
			if (!all && ((which == 1 && faults[i].kind > SHORT) || !remember(key)))
				continue;
			MUST(case_count < CASES_AT_MOST);
			cases[case_count++] = (struct one_case){
				*subject, site->call, { .site = site->call.site, .occurrence = occurrences[which], .fault = faults[i] }
			};
		}
	return case_count > before;
}

static void print_none(const char *function)
{
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
		if (kinds_why_not(function, kind))
			printf("none\t%s\t%s\t%s\n", function, kinds_names[kind], kinds_why_not(function, kind));
}

/* Levels are of processes that could be put back. */
static bool has_phase(const struct subject *subject)
{
	switch (subject->phase) {
	case LEVEL:
		return !subject->lost;
	case REWIND_TO_LEVEL:
	case REWIND_FROM_LEVEL:
	case SHARE:
		return subject->has_level;
	case BRING:
		return subject->is_shareable;
	case CHECKPOINT:
	case REWIND:
	case REWIND_VERIFIED:
	case VERIFY:
	case VERIFY_CHANGED:
	case RELEASE:
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
	return true;
}

static void plan_phase(const struct subject *subject, const struct site *sites, uint32_t count, bool all)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct call *call = &sites[i].call;

		if (add_cases(subject, &sites[i], all) && remember(row_of(call) * PHASES + subject->phase))
			printf("call\t%s\t%s\t%s\n", run_phases[subject->phase], call->step, call->function);
		if (remember((uint64_t)(uintptr_t)call->function))
			print_none(call->function);
	}
}

static void plan_boots(const char *program, uint32_t rung, bool all)
{
	static struct site sites[SITES_AT_MOST];
	struct subject subject = { .program = program, .rung = rung };

	for (subject.phase = TEMPLATE; subject.phase < PHASES; subject.phase++) {
		plan_phase(&subject, sites, record(&subject, sites), all);
		for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
			if (why_not_in(subject.phase, kind))
				printf("none\t%s\t%s\t%s\n", run_phases[subject.phase], kinds_names[kind],
				       why_not_in(subject.phase, kind));
	}
}

static void plan(const char *program, uint32_t rung, bool all)
{
	static struct site sites[SITES_AT_MOST];
	struct subject subject = { .program = program, .rung = rung, .phase = REWIND };

	subject.changes_once = !strcmp(name_of(program), "objects-changed");

	/* Whether it can be put back at all. */
	record(&subject, sites);
	subject.lost = subject.refuses;
	for (subject.phase = 0; subject.phase <= RELEASE; subject.phase++) {
		uint32_t count = has_phase(&subject) ? record(&subject, sites) : 0;

		if (subject.phase == LEVEL)
			subject.has_level = count > 0 && !subject.refuses;
		if (subject.phase == SHARE)
			subject.is_shareable = count > 0 && !subject.refuses;
		plan_phase(&subject, sites, count, all);
	}
}

static void print_case(const struct one_case *one)
{
	char line[2048];
	int used = snprintf(line, sizeof(line), "case\t%s\t%u\t%s\t%s\t%s\t%lx\t%u\t%s\t%d\t%s\t%s\t",
			    name_of(one->subject.program), one->subject.rung, run_phases[one->subject.phase], one->call.step,
			    one->call.function, (unsigned long)one->aim.site, one->aim.occurrence,
			    kinds_names[one->aim.fault.kind], one->aim.fault.number, run->outcome, run->detail);

	for (int i = 0; i < WAY_AT_MOST && run->watch.way[i] && !strcmp(run->outcome, "WRONG"); i++)
		used += snprintf(line + used, sizeof(line) - (size_t)used, "%lx ", (unsigned long)run->watch.way[i]);
	line[used++] = '\n';
	MUST(write(STDOUT_FILENO, line, (size_t)used) == used);
}

/*
 * How often a site is reached depends on the moment where threads are born and die: such a one gets more tries, and the
 * last of them takes the site's first call, or in a boot the function's, of which that site may be the only one that was picked.
 * It may be that luck alone has led to a later one while the calls were recorded.
 */
static void run_case(struct one_case one, int worker)
{
	take_up(&one.subject);
	for (int i = 1; i <= TRIES; i++) {
		if (i == TRIES)
			one.aim.occurrence = 0;
		if (i == TRIES && one.subject.phase > RELEASE)
			one.aim.function = one.call.function;
		run->watch.aim = one.aim;
		run_one(run, worker);
		if (strcmp(run->outcome, "unreached"))
			break;
	}
	print_case(&one);
}

static void work(int worker)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run = share_run();
	for (uint32_t i = (uint32_t)worker; i < case_count; i += WORKERS)
		run_case(cases[i], worker);
	boot_end();
}

static int run_all(void)
{
	pid_t workers[WORKERS], ended;
	int failed = 0, status;

	boot_end();
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		MUST(workers[i] >= 0);
		if (!workers[i]) {
			work(i);
			_exit(0);
		}
	}
	/* With the orphans of boots. */
	while ((ended = wait(&status)) > 0)
		for (int i = 0; i < WORKERS; i++)
			failed |= ended == workers[i] ? status : 0;
	return failed != 0;
}

static enum fault_kind kind_named(const char *name)
{
	enum fault_kind kind = 0;

	while (strcmp(kinds_names[kind], name))
		MUST(++kind < FAULT_KINDS);
	return kind;
}

/* With the values of a line, as they are printed. */
static int run_one_case(char **values)
{
	uint64_t site = strtoull(values[3], NULL, 16);
	uint32_t rung = (uint32_t)atoi(values[1]), occurrence = (uint32_t)atoi(values[4]);
	struct fault fault = { kind_named(values[5]), atoi(values[6]) };
	enum phase phase = 0;

	while (strcmp(run_phases[phase], values[2]))
		MUST(++phase < PHASES);
	(phase > RELEASE ? plan_boots : plan)(values[0], rung, true);
	for (uint32_t i = 0; i < case_count; i++) {
		struct one_case one = cases[i];

		if (strcmp(run_phases[one.subject.phase], values[2]) || one.aim.site != site)
			continue;
		one.aim.occurrence = occurrence;
		one.aim.fault = fault;
		run_case(one, 0);
		return strcmp(run->outcome, "WRONG") == 0;
	}
	fprintf(stderr, "no such site\n");
	return 1;
}

int main(int argc, char **argv)
{
	const bool all = argc > 1 && !strcmp(argv[1], "--all");
	void (*plan_of)(const char *program, uint32_t rung, bool all) = plan;

	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	cases = share(CASES_AT_MOST * sizeof(*cases));
	run = share_run();
	if (argc == 9 && !strcmp(argv[1], "--case"))
		return run_one_case(argv + 2);
	MUST(argc > 1 + all);
	for (int i = 1 + all; i < argc; i++) {
		if (!strcmp(argv[i], "--boots")) {
			plan_of = plan_boots;
			continue;
		}
		for (uint32_t rung = RW_WRITE_PROTECT; rung <= RW_COPY_ALL; rung += RW_COPY_ALL - RW_WRITE_PROTECT)
			plan_of(argv[i], rung, all);
	}
	return run_all();
}
