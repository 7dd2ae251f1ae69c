/* Starts the runtime of a lean container: its cgroups, limits, user, and the privileges and system calls it is left with. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "launcher.h"
#include "lean.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_LIMIT (8UL << 20)
#define LAST_CAPABILITY 63
#define RUNTIME_ID 2

/* Nothing that is executed from now on can gain what is not there. The last number differs by kernel: EINVAL ends it. */
void drop_bounding_set(void)
{
	for (int i = 0; i <= LAST_CAPABILITY; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0)) {
			if (errno == EINVAL && i > CAP_SETFCAP)
				break;
			fail(errno, "capability bounding set");
		}
	if (prctl(PR_SET_SECUREBITS, LEAN_SECUREBITS))
		fail(errno, "securebits");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail(errno, "no new privileges");
}

void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) || syscall(SYS_capset, &header, none))
		fail(errno, "capabilities");
}

/* Not above what we have: raising a hard limit takes a capability that the host need not have. */
static void limit(__rlimit_resource_t resource, const char *name, rlim_t soft, rlim_t hard)
{
	struct rlimit have, want = { soft, hard };

	if (getrlimit(resource, &have))
		fail(errno, "limit %s", name);
	if (want.rlim_max > have.rlim_max)
		want.rlim_max = have.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	if (setrlimit(resource, &want))
		fail(errno, "limit %s", name);
}

/* The number of processes is the cgroup's to limit. */
static void set_limits(const struct spec *spec)
{
	limit(RLIMIT_NOFILE, "nofile", spec->nofile, spec->nofile);
	limit(RLIMIT_STACK, "stack", STACK_LIMIT, RLIM_INFINITY);
	limit(RLIMIT_CORE, "core", 0, 0);
	limit(RLIMIT_MEMLOCK, "memlock", 0, 0);
	limit(RLIMIT_MSGQUEUE, "msgqueue", 0, 0);
}

/* The kernel never shrinks a descriptor table: grown to its limit, its size says nothing of who used the container before. */
static void grow_descriptor_table(void)
{
	struct rlimit most;
	int last;

	if (getrlimit(RLIMIT_NOFILE, &most))
		fail(errno, "descriptor limit");
	last = fcntl(LEAN_FD_NULL, F_DUPFD_CLOEXEC, (int)most.rlim_cur - 1);
	if (last < 0)
		fail(errno, "descriptor table");
	close(last);
}

static void join_cgroups(const struct spec *spec)
{
	for (int i = 0; i < spec->join_count; i++)
		if (write(spec->joins[i], "0", 1) != 1)
			fail(errno, "join a cgroup");
	/* Its own cgroups are the root as far as it can see. An embryo has others born in cgroups that are not below its own. */
	if (!spec->is_embryo && unshare(CLONE_NEWCGROUP))
		fail(errno, "cgroup namespace");
}

/* For whoever opens /dev/stdout. The pipes stay ours: their owner could leave modes and times to the next action. */
static void let_pipes_be_opened(void)
{
	if (fchmod(LEAN_FD_STDOUT, S_IWUSR | S_IWGRP | S_IWOTH) || fchmod(LEAN_FD_STDERR, S_IWUSR | S_IWGRP | S_IWOTH))
		fail(errno, "mode of the output pipes");
}

static void become_user(const struct spec *spec)
{
	gid_t gid = (gid_t)spec->gid;
	uid_t uid = (uid_t)spec->uid;

	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		fail(errno, "become user %u", uid);
}

/* Until then it can be seized, to be made another one of a checkpointed runtime (rw_boot). */
static void await_word(void)
{
	ssize_t got;
	char byte;

	say("waiting\n");
	do
		got = read(LEAN_FD_CHANNEL, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1)
		fail(got < 0 ? errno : 0, "wait for a word");
}

/* An embryo does not die with the pid namespace of its launcher: it is in the host's. */
static void die_with(pid_t launcher)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		fail(errno, "parent death signal");
	if (getppid() != launcher)
		_exit(127);
}

__attribute__((noreturn)) static void run(struct spec *spec, pid_t launcher)
{
	die_with(launcher);
	join_cgroups(spec);
	set_limits(spec);
	grow_descriptor_table();
	let_pipes_be_opened();
	if (setsid() < 0)
		fail(errno, "session");
	/* Huge pages would make a single written byte cost two megabytes of rewinding. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		fail(errno, "huge pages");
	if (!spec->is_embryo) {
		drop_bounding_set();
		become_user(spec);
		drop_capabilities();
	}
	/* Again: the change of user clears it. */
	die_with(launcher);
	umask(022);
	if (chdir(spec->cwd))
		fail(errno, "enter %s", spec->cwd);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &spec->program))
		fail(errno, "filter system calls");
	if (spec->waits || spec->is_embryo)
		await_word();
	execve(spec->command[0], spec->command, spec->environment);
	fail(errno, "execute %s", spec->command[0]);
}

pid_t start_runtime(struct spec *spec)
{
	const pid_t launcher = getpid();
	int executed[2];
	pid_t runtime;
	ssize_t got;
	char byte;

	if (pipe2(executed, O_CLOEXEC))
		fail(errno, "pipe");
	runtime = fork();
	if (runtime < 0)
		fail(errno, "fork");
	if (runtime == 0)
		run(spec, launcher);
	close(executed[1]);
	/* End of file when execve() or the process's end closes the last writer. */
	do
		got = read(executed[0], &byte, 1);
	while (got < 0 && errno == EINTR);
	close(executed[0]);
	return runtime;
}

/*
 * One that the host puts here is born of a process outside and does what run() does; it becomes our child when the one between the
 * two ends. A blocked signal is kept for us although we are pid 1.
 */
pid_t await_runtime(struct spec *spec)
{
	sigset_t words;
	int word;

	sigemptyset(&words);
	sigaddset(&words, SIGUSR1);
	sigaddset(&words, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &words, NULL))
		fail(errno, "signal mask");
	let_pipes_be_opened();
	say("vacant\n");
	do
		word = sigwaitinfo(&words, NULL);
	while (word < 0 && errno == EINTR);
	if (word < 0 || sigprocmask(SIG_UNBLOCK, &words, NULL))
		fail(errno, "wait for a word");
	return word == SIGUSR1 ? RUNTIME_ID : start_runtime(spec);
}
