/* Starts the launcher of a lean container in its namespaces, without copying the memory of the caller. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"
#include "lean.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (64UL << 10)
#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)
#define LAUNCHER_FDS (LEAN_FD_STATUS + 1)

/* Both ends of everything between host and container. The launcher's are numbered above those it will have. */
struct ends {
	int host[LAUNCHER_FDS];
	int launcher[LAUNCHER_FDS];
};

static void close_ends(struct ends *ends)
{
	for (int i = 0; i < LAUNCHER_FDS; i++) {
		rw_close(&ends->host[i]);
		rw_close(&ends->launcher[i]);
	}
}

/* Moves the launcher's end out of the way of the numbers it is to be duplicated to. */
static int add_end(struct ends *ends, enum lean_fd number, int host, int launcher)
{
	ends->host[number] = host;
	ends->launcher[number] = fcntl(launcher, F_DUPFD_CLOEXEC, LAUNCHER_FDS);
	if (ends->launcher[number] < 0)
		return -1;
	return host >= 0 ? fcntl(host, F_SETFL, fcntl(host, F_GETFL) | O_NONBLOCK) : 0;
}

static int add_pipe(struct ends *ends, enum lean_fd number)
{
	int pair[2], failed;

	if (pipe2(pair, O_CLOEXEC))
		return -1;
	failed = add_end(ends, number, pair[0], pair[1]);
	close(pair[1]);
	return failed;
}

static int open_ends(struct ends *ends)
{
	int pair[2], nothing, failed;

	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing < 0)
		return -1;
	failed = add_end(ends, LEAN_FD_NULL, -1, nothing);
	close(nothing);
	if (failed < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	failed = add_end(ends, LEAN_FD_CHANNEL, pair[0], pair[1]);
	close(pair[1]);
	if (failed < 0)
		return -1;
	if (add_pipe(ends, LEAN_FD_STDOUT) < 0 || add_pipe(ends, LEAN_FD_STDERR) < 0)
		return -1;
	return add_pipe(ends, LEAN_FD_STATUS);
}

/* What the child works with. It shares our memory until it has executed the launcher: we sleep meanwhile (CLONE_VFORK). */
struct start {
	const char *launcher;
	char **argv;
	const int *fds;
	int errnum;
	int namespaces;
};

/*
 * SAFETY: runs on a stack of its own in the memory of a process with many threads, any of which may hold any lock. So
 * nothing but system calls here. All signals are blocked: none of the caller's handlers can run. Signals that are blocked
 * or ignored stay so across execve(); the launcher puts that right.
 */
static int child(void *argument)
{
	struct start *start = argument;
	char *const environment[] = { NULL };

	for (int i = 0; i < LAUNCHER_FDS; i++)
		if (dup2(start->fds[i], i) < 0)
			goto failed;
	execve(start->launcher, start->argv, environment);
failed:
	start->errnum = errno;
	_exit(127);
}

/* argv with pointers into `arguments`. */
static char **split(const char *launcher, const char *arguments, uint64_t length)
{
	uint64_t count = 0;
	char **argv;

	for (uint64_t i = 0; i < length; i++)
		count += arguments[i] == '\0';
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = (char *)(uintptr_t)launcher;
	for (uint64_t i = 1, at = 0; i <= count; i++) {
		argv[i] = (char *)(uintptr_t)(arguments + at);
		at += strlen(arguments + at) + 1;
	}
	return argv;
}

static void unmap_stack(void **stack)
{
	if (*stack != MAP_FAILED)
		munmap(*stack, STACK_SIZE);
}

/* The new process's id, or -errno. On a thread that has all signals blocked. */
static int start_child(struct start *start)
{
	void *stack cleanup_(unmap_stack) = MAP_FAILED;
	int pid, status;

	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -errno;
	pid = clone(child, (char *)stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | start->namespaces, start);
	if (pid < 0)
		start->errnum = errno;
	if (pid >= 0 && start->errnum)
		while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
			;
	return start->errnum ? -start->errnum : pid;
}

/*
 * The one thread that starts launchers, from the first on, for as long as the process lives: the kernel ends a container with the
 * thread that has started it, and whoever starts one sleeps until the launcher is executed.
 */
static struct {
	pthread_mutex_t turn, lock;
	pthread_cond_t changed;
	bool is_there;
	struct start *order;	/* NULL: it has been carried out */
	int pid;
} starter = { .turn = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void *start_all(void *nothing)
{
	pthread_mutex_lock(&starter.lock);
	for (;;) {
		while (!starter.order)
			pthread_cond_wait(&starter.changed, &starter.lock);
		starter.pid = start_child(starter.order);
		starter.order = NULL;
		pthread_cond_broadcast(&starter.changed);
	}
	return nothing;
}

/* 0 or an error number. */
static int make_starter(void)
{
	sigset_t all, before;
	pthread_t thread;
	int failed;

	if (starter.is_there)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&thread, NULL, start_all, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return failed;
	pthread_detach(thread);
	starter.is_there = true;
	return 0;
}

static int have_started(struct start *start)
{
	int result;

	pthread_mutex_lock(&starter.turn);
	result = -make_starter();
	if (!result) {
		pthread_mutex_lock(&starter.lock);
		starter.order = start;
		pthread_cond_broadcast(&starter.changed);
		while (starter.order)
			pthread_cond_wait(&starter.changed, &starter.lock);
		result = starter.pid;
		pthread_mutex_unlock(&starter.lock);
	}
	pthread_mutex_unlock(&starter.turn);
	return result;
}

int lean_start(const char *launcher, const char *arguments, uint64_t arguments_length, uint32_t in_our_pids,
	       struct lean_started *started, struct rw_error *error)
{
	struct ends ends cleanup_(close_ends) = { { -1, -1, -1, -1, -1 }, { -1, -1, -1, -1, -1 } };
	char **argv cleanup_(rw_free) = NULL;
	struct start start = { .launcher = launcher,
			       .fds = ends.launcher,
			       .namespaces = in_our_pids ? NAMESPACES & ~CLONE_NEWPID : NAMESPACES };
	int pid;

	if (arguments_length && arguments[arguments_length - 1] != '\0')
		return rw_fail(error, RW_SYSTEM, EINVAL, "the last argument has no end");
	argv = split(launcher, arguments, arguments_length);
	if (!argv)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "arguments");
	if (open_ends(&ends) < 0)
		return rw_fail(error, RW_SYSTEM, errno, "pipes and sockets of a container");
	start.argv = argv;
	pid = have_started(&start);
	if (pid < 0)
		return rw_fail(error, RW_SYSTEM, -pid, "start %s in new namespaces", launcher);
	*started = (struct lean_started){
		.init_pid = pid,
		.channel = ends.host[LEAN_FD_CHANNEL],
		.out = ends.host[LEAN_FD_STDOUT],
		.err = ends.host[LEAN_FD_STDERR],
		.status = ends.host[LEAN_FD_STATUS],
	};
	for (int i = 0; i < LAUNCHER_FDS; i++)
		ends.host[i] = -1;
	return 0;
}

int lean_open(int32_t init_pid, int32_t *pidfd, struct rw_error *error)
{
	*pidfd = (int32_t)syscall(SYS_pidfd_open, init_pid, 0);
	return *pidfd < 0 ? rw_fail(error, errno == ESRCH ? RW_PROCESS_GONE : RW_SYSTEM, errno, "launcher %d", init_pid) : 0;
}

int lean_reap(int32_t init_pid, uint32_t *ended, int32_t *status, struct rw_error *error)
{
	pid_t reaped;

	/* __WALL: until it has executed the launcher, the child's end is announced by no signal. */
	do
		reaped = waitpid(init_pid, status, __WALL | WNOHANG);
	while (reaped < 0 && errno == EINTR);
	if (reaped < 0)
		return rw_fail(error, RW_SYSTEM, errno, "collect process %d", init_pid);
	*ended = reaped == init_pid;
	return 0;
}

int lean_pending(int32_t fd, uint64_t *unread, uint64_t *unsent, struct rw_error *error)
{
	int in = 0, out = 0;

	if (ioctl(fd, FIONREAD, &in))
		return rw_fail(error, RW_SYSTEM, errno, "bytes to read from descriptor %d", fd);
	if (ioctl(fd, SIOCOUTQ, &out)) {
		if (errno != ENOTTY && errno != EINVAL)
			return rw_fail(error, RW_SYSTEM, errno, "bytes unsent on descriptor %d", fd);
		out = 0;
	}
	*unread = (uint64_t)in;
	*unsent = (uint64_t)out;
	return 0;
}

int lean_syscall_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
#include "syscall_names.h"
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].number;
	return -ENOSYS;
}
