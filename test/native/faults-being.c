/* Processes that boots are about: one to be checkpointed, one that waits for its word, a launcher without a runtime. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

#define LAST_CAPABILITY 63

/* As those have it who are born of an embryo. */
static void give_up_power(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	MUST(!setgroups(0, NULL) && !syscall(SYS_capget, &header, data));
	data[0].inheritable = data[1].inheritable = 0;
	MUST(!syscall(SYS_capset, &header, data));
	for (int i = 0; i <= LAST_CAPABILITY && !prctl(PR_CAPBSET_DROP, i, 0, 0, 0); i++)
		;
	MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static _Noreturn void wait_for_runtime(void)
{
	sigset_t child;

	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	MUST(write(4, "w", 1) == 1);
	for (;;) {
		sigwaitinfo(&child, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static _Noreturn void become(const char *program, int in, int out, int go, int cpu, enum role role)
{
	int null = open("/dev/null", O_RDWR);
	cpu_set_t one;
	char word;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(IGNORED_SIGNAL, SIG_IGN);
	null = fcntl(null, F_DUPFD, 10);
	in = fcntl(in, F_DUPFD, 10);
	out = fcntl(out, F_DUPFD, 10);
	go = go < 0 ? -1 : fcntl(go, F_DUPFD, 10);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	dup2(in, 3);
	dup2(out, 4);
	if (go >= 0)
		dup2(go, BEING_WORD);
	close_range(go >= 0 ? BEING_WORD + 1 : BEING_WORD, ~0U, 0);
	if (role == BEING_VACANT)
		wait_for_runtime();
	if (role != BEING_WAITING_HERE)
		give_up_power();
	if (go >= 0) {
		MUST(write(4, "w", 1) == 1);
		if (read(BEING_WORD, &word, 1) != 1)
			_exit(1);
		close(BEING_WORD);
	}
	execl(program, program, (char *)NULL);
	_exit(127);
}

/* The first of a pid namespace; the other is its only child. */
static _Noreturn void be_first(const char *program, int in, int out, int go, int cpu, enum role role)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	MUST(pid >= 0);
	if (!pid)
		become(program, in, out, go, cpu, role);
	close_range(0, ~0U, 0);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	_exit(0);
}

struct being being_start(const char *program, enum role role, int cpu)
{
	const bool has_word = role == BEING_WAITING || role == BEING_WAITING_HERE;
	const bool is_second = role == BEING_STARTED || role == BEING_WAITING;
	int to[2], from[2], go[2] = { -1, -1 };
	struct being being = { 0 };
	char answer;

	MUST(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC) && (!has_word || !pipe2(go, O_CLOEXEC)));
	being.top = role == BEING_WAITING_HERE ? fork() : (pid_t)syscall(SYS_clone, (long)(CLONE_NEWPID | SIGCHLD), 0L, 0L, 0L, 0L);
	MUST(being.top >= 0);
	if (!being.top) {
		if (is_second)
			be_first(program, to[0], from[1], go[0], cpu, role);
		become(program, to[0], from[1], go[0], cpu, role);
	}
	close(to[0]);
	close(from[1]);
	if (has_word)
		close(go[0]);
	being.to = to[1];
	being.from = from[0];
	being.go = go[1];
	MUST(read(being.from, &answer, 1) == 1);
	being.pid = is_second ? look_for_child(being.top) : being.top;
	MUST(being.pid > 0 && (being.pidfd = (int)syscall(SYS_pidfd_open, being.pid, 0)) >= 0);
	return being;
}

void being_end(struct being *being)
{
	const int fds[] = { being->to, being->from, being->go, being->pidfd };

	if (being->top <= 0)
		return;
	kill(being->top, SIGKILL);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	MUST(waitpid(being->top, NULL, __WALL) == being->top);
	being->top = 0;
}
