/* The launcher: pid 1 of a lean container. Builds its world, starts the runtime in it, reaps what is left to it. */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * lean OPTION... -- COMMAND...          started by lean_start() in new pid, mount, ipc and uts namespaces
 *
 *   --ro-bind SOURCE:TARGET   shows a file or folder of the host, read-only, with what is mounted below it
 *   --link TARGET:CONTENT     makes a symbolic link
 *   --file TARGET:CONTENT     makes a file
 *   --scratch-mb N            size of the one writable place, which is seen as /tmp, /home/action and /dev/shm
 *   --scratch-inodes N        how many files it may hold
 *   --join FILE               tasks (version 1) or cgroup.procs file of a cgroup; the runtime joins before anything else
 *   --net FILE                the network namespace of the container
 *   --filter FILE             seccomp program as the kernel takes it, at most 4096 instructions
 *   --wait                    there is no runtime until the host sends a signal. SIGUSR1: it has put one here (rw_boot_from). SIGUSR2:
 *                             there shall be one, which is executed when there is a byte to read on its channel, which it does
 *                             not get to see (rw_boot)
 *   --embryo                  first of all options: in the pid namespace of the host. The runtime waits for its byte, and keeps its
 *                             power: it never runs an instruction of its own (rw_embryo)
 *   --uid N --gid N --hostname NAME --nofile N --oom-score N --cwd FOLDER --env NAME=VALUE
 *
 * On the status pipe it says, one line each: `vacant` where it was told to wait; `waiting` once there is a runtime that waits;
 * `started` once the runtime has been executed, or is here; then `exit CODE` or
 * `signal NUMBER` at the runtime's end. Or, at any point, `failed STEP: REASON`. When the launcher ends, the kernel kills
 * all that is left in the pid namespace. It ends when the runtime does, and is killed when the host's process dies.
 *
 * Everything is opened close-on-exec: the runtime has descriptors 0 to 3 (enum lean_fd) and no other.
 */

#include "launcher.h"
#include "lean.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vdprintf(LEAN_FD_STATUS, format, args);
	va_end(args);
}

/* One write, so that lines of launcher and runtime do not mix. */
void fail(int errnum, const char *format, ...)
{
	char step[PATH_SIZE + 64];
	va_list args;

	va_start(args, format);
	vsnprintf(step, sizeof(step), format, args);
	va_end(args);
	say("failed %s: %s\n", step, errnum ? strerrordesc_np(errnum) : "invalid");
	_exit(127);
}

/* lean_start() had all signals blocked, and the host's process ignores some: both are inherited. */
static void reset_signals(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &plain, NULL); /* fails for SIGKILL, SIGSTOP and libc's own, which are as they should be */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * From here on the host's death is ours. Had it died before, nobody would read the status pipe any more. (getppid() says
 * nothing here: the parent is outside of the namespace.)
 */
static void die_with_host(void)
{
	struct pollfd status = { .fd = LEAN_FD_STATUS };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		fail(errno, "parent death signal");
	if (poll(&status, 1, 0) < 0 || (status.revents & POLLERR))
		_exit(127);
}

/* The kernel prefers whoever has a high score when memory runs out. The runtime inherits it. */
static void raise_oom_score(unsigned long score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%lu", score) < 0)
		fail(errno, "oom score");
	close(fd);
}

/* Made before us, with all that the container has of a network. */
static void enter_network(const char *namespace)
{
	int fd = open(namespace, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(errno, "enter network namespace %s", namespace);
	close(fd);
}

/* Nothing is left to us but to wait. We stay root by id, so that no action can signal us; of its power nothing is left. */
static void give_up_everything(const struct spec *spec)
{
	for (int i = 0; i <= LEAN_FD_CHANNEL; i++)
		close(i);
	for (int i = 0; i < spec->join_count; i++)
		close(spec->joins[i]);
	drop_bounding_set();
	drop_capabilities();
	if (prctl(PR_SET_DUMPABLE, 0))
		fail(errno, "not dumpable");
}

static int await_end(pid_t runtime)
{
	int status;
	pid_t ended;

	do
		ended = waitpid(-1, &status, 0);
	while (ended != runtime && (ended > 0 || errno == EINTR));
	if (ended < 0)
		fail(errno, "wait");
	return status;
}

int main(int argc, char **argv)
{
	static struct spec spec;
	pid_t runtime;
	int status;

	if (getpid() != 1 && (argc < 2 || strcmp(argv[1], "--embryo"))) {
		fputs("lean is started by rewhisk, as pid 1 of a new pid namespace\n", stderr);
		return 2;
	}
	/*
	 * The status pipe was duplicated without the flag; anything beyond it is an accident of the host's. The scratch
	 * space's number is kept free for it.
	 */
	if (fcntl(LEAN_FD_STATUS, F_SETFD, FD_CLOEXEC) || close_range(LEAN_FD_STATUS + 1, ~0U, 0) ||
	    fcntl(LEAN_FD_NULL, F_DUPFD_CLOEXEC, LEAN_FD_SCRATCH) != LEAN_FD_SCRATCH)
		fail(errno, "descriptors");
	reset_signals();
	die_with_host();
	umask(0022);
	parse_options(argc, argv, &spec);
	raise_oom_score(spec.oom_score);
	if (sethostname(spec.hostname, strlen(spec.hostname)) || setdomainname("", 0))
		fail(errno, "hostname");
	enter_network(spec.network);
	enter_new_root(&spec);
	runtime = spec.waits ? await_runtime(&spec) : start_runtime(&spec);
	give_up_everything(&spec);
	say("started\n");
	status = await_end(runtime);
	if (WIFSIGNALED(status))
		say("signal %d\n", WTERMSIG(status));
	else
		say("exit %d\n", WEXITSTATUS(status));
	return 0;
}
