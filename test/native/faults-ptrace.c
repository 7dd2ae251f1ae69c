/* Stands between the library and ptrace() or syscall(), and notes as calls what the victim is made to do as well. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "../../native/internal.h"
#include "faults.h"

#define NO_SUCH_CALL 100000

/*
 * Our views of the tables of calls, the latest first: whoever is born of an embryo reads that one's, of which it gets a copy before it
 * goes over to its own.
 */
static char *tables[2];

void calls_forget_table(const void *at)
{
	if (tables[1] == at)
		tables[1] = NULL;
	if (tables[0] == at)
		tables[0] = tables[1], tables[1] = NULL;
}

void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	const struct fault *fault = NOTE("mmap");
	void *got = fault ? MAP_FAILED : __real_mmap(at, size, prot, flags, fd, offset);

	if (fault)
		errno = fault->number;
	else if (size == TABLE_SIZE && prot & PROT_WRITE)
		tables[1] = tables[0], tables[0] = got;
	return got;
}

long __real_ptrace(enum __ptrace_request request, ...);
long __wrap_ptrace(enum __ptrace_request request, ...);
long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, ...);

static const struct {
	const char *name;
	int nr;
} system_calls[] = {
#include "syscall_names.h"
};

#define NUMBERS 1024
static char names_inside[NUMBERS][48];

/* Before any fork(): a name has to be the same string in every process. */
__attribute__((constructor)) static void name_calls(void)
{
	for (int i = 0; i < NUMBERS; i++)
		snprintf(names_inside[i], sizeof(names_inside[i]), "in process: %d", i);
	for (size_t i = 0; i < sizeof(system_calls) / sizeof(*system_calls); i++)
		if (system_calls[i].nr < NUMBERS)
			snprintf(names_inside[system_calls[i].nr], sizeof(names_inside[0]), "in process: %s",
				 system_calls[i].name);
}

static const char *name_inside(uint64_t nr)
{
	if ((int64_t)nr == OP_COPY)
		return "in process: (copy)";
	if ((int64_t)nr == OP_ZERO)
		return "in process: (zero)";
	return nr < NUMBERS ? names_inside[nr] : "in process: ?";
}

static const char *name_ptrace(long request)
{
	switch (request) {
	case PTRACE_SEIZE: return "ptrace SEIZE";
	case PTRACE_INTERRUPT: return "ptrace INTERRUPT";
	case PTRACE_DETACH: return "ptrace DETACH";
	case PTRACE_CONT: return "ptrace CONT";
	case PTRACE_SINGLESTEP: return "ptrace SINGLESTEP";
	case PTRACE_GETREGS: return "ptrace GETREGS";
	case PTRACE_SETREGS: return "ptrace SETREGS";
	case PTRACE_GETREGSET: return "ptrace GETREGSET";
	case PTRACE_SETREGSET: return "ptrace SETREGSET";
	case PTRACE_GETSIGINFO: return "ptrace GETSIGINFO";
	case PTRACE_GETSIGMASK: return "ptrace GETSIGMASK";
	case PTRACE_SETSIGMASK: return "ptrace SETSIGMASK";
	case RW_PTRACE_GET_RSEQ: return "ptrace GET_RSEQ";
	default: return "ptrace";
	}
}

/* The registers that a thread was given last, until it goes on. */
static struct {
	pid_t tid;
	struct user_regs_struct regs;
} aimed;

/* Each entry of the table is a call of its own: one that fails has no such number, a copy that fails no place to go. */
static void note_table(const void *frame)
{
	const uint64_t offset = aimed.regs.rbx - (aimed.regs.rsp - AT_ZERO);

	for (uint64_t at = offset; ((struct op *)(tables[0] + at))->nr != OP_END; at += sizeof(struct op)) {
		struct op *op = (struct op *)(tables[0] + at), *same = tables[1] ? (struct op *)(tables[1] + at) : NULL;
		const struct op was = *op;

		if (!calls_note(name_inside((uint64_t)op->nr), frame))
			continue;
		if (op->nr < 0)
			op->arg[0] = 0;
		else
			op->nr = NO_SUCH_CALL;
		if (same && !memcmp(same, &was, sizeof(was)))
			*same = *op;
	}
}

static void note_step(const void *frame)
{
	struct user_regs_struct regs = aimed.regs;

	if (!calls_note(name_inside(regs.rax), frame))
		return;
	regs.rax = NO_SUCH_CALL;
	__real_ptrace(PTRACE_SETREGS, aimed.tid, NULL, &regs);
}

long __wrap_ptrace(enum __ptrace_request request, ...)
{
	const void *frame = __builtin_frame_address(0);
	const struct fault *fault = calls_note(name_ptrace(request), frame);
	va_list rest;
	pid_t tid;
	void *address, *data;

	if (fault)
		return errno = fault->number, -1;
	va_start(rest, request);
	tid = va_arg(rest, pid_t);
	address = va_arg(rest, void *);
	data = va_arg(rest, void *);
	va_end(rest);
	if (request == PTRACE_SETREGS) {
		aimed.tid = tid;
		aimed.regs = *(const struct user_regs_struct *)data;
	} else if (request == PTRACE_CONT || request == PTRACE_SINGLESTEP) {
		if (calls_watch && aimed.tid == tid && request == PTRACE_CONT)
			note_table(frame);
		if (calls_watch && aimed.tid == tid && request == PTRACE_SINGLESTEP)
			note_step(frame);
		aimed.tid = 0;
	}
	return __real_ptrace(request, tid, address, data);
}

static const char *name_syscall(long nr, long first)
{
	switch (nr) {
	case SYS_ptrace: return name_ptrace(first);
	case SYS_pidfd_open: return "pidfd_open";
	case SYS_pidfd_getfd: return "pidfd_getfd";
	case SYS_kcmp: return "kcmp";
	case SYS_get_robust_list: return "get_robust_list";
	case SYS_tgkill: return "tgkill";
	case SYS_pidfd_send_signal: return "pidfd_send_signal";
	default: return "syscall";
	}
}

long __wrap_syscall(long nr, ...)
{
	const struct fault *fault;
	long argument[6];
	va_list rest;

	va_start(rest, nr);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(rest, long);
	va_end(rest);
	fault = NOTE(name_syscall(nr, argument[0]));
	if (fault)
		return errno = fault->number, -1;
	return __real_syscall(nr, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}
