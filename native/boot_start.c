/* Booting, first part: a process that has just executed a program becomes one that works through our table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_EXITKILL | RW_PTRACE_O_SUSPEND_SECCOMP | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE)
#define LOWEST 0x10000ULL	/* that may be mapped */
#define TEXT_LOOKED_AT 65536

/* One event of the leader. Gives what is to be told to it when it goes on. */
static int await_event(struct rw_process *p, int *event, int *signal, struct rw_error *error)
{
	int status;
	pid_t got = rw_wait(p->pid, &status);

	if (got <= 0 || !WIFSTOPPED(status)) {
		if (got > 0)
			p->frozen->count = 0; /* it has been collected, and its id may be another's */
		return rw_fail(error, RW_PROCESS_GONE, got < 0 ? errno : 0, "process %d ended and executed nothing", p->pid);
	}
	*event = status >> 16;
	*signal = *event ? 0 : WSTOPSIG(status);
	return 0;
}

/*
 * The stop at the execution itself lies within the system call, which has yet to write its result to a register: so another one
 * is asked for, which comes before the first instruction.
 */
int rw_boot_catch(struct boot *boot, int go, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	bool executed = false;
	int event = 0, signal, failed = rw_freeze(p->pid, -1, &p->pid, 1, p->frozen, error);

	if (failed)
		return failed;
	p->frozen->touched = true;
	if (p->frozen->count != 1)
		return rw_fail(error, RW_UNSUPPORTED, 0, "process %d has threads already", p->pid);
	signal = p->frozen->signals[0];
	if (ptrace(PTRACE_SETOPTIONS, p->pid, 0, OPTIONS))
		return rw_fail(error, RW_SYSTEM, errno, "cannot trace process %d", p->pid);
	if (write(go, "\n", 1) != 1)
		return rw_fail(error, RW_SYSTEM, errno, "cannot tell process %d to go on", p->pid);
	while (!executed || event != PTRACE_EVENT_STOP) {
		if (ptrace(PTRACE_CONT, p->pid, 0, signal))
			return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", p->pid);
		failed = await_event(p, &event, &signal, error);
		if (failed)
			return failed;
		if (event == PTRACE_EVENT_CLONE)
			return rw_fail(error, RW_UNSUPPORTED, 0, "process %d makes threads", p->pid);
		if (event == PTRACE_EVENT_EXEC) {
			executed = true;
			if (ptrace(PTRACE_INTERRUPT, p->pid, 0, 0))
				return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", p->pid);
		}
	}
	p->frozen->signals[0] = 0;
	return 0;
}

static int check_program(const struct rw_process *p, struct rw_error *error)
{
	dev_t device;
	ino_t inode;
	int failed = rw_program(p->pid, &device, &inode, error);

	if (!failed && (device != p->image->origin.device || inode != p->image->origin.inode))
		failed = rw_fail(error, RW_UNSUPPORTED, 0, "process %d executes another program than the template", p->pid);
	return failed;
}

static bool overlaps_ours(const struct rw_process *p, const struct region *region)
{
	for (uint64_t i = 0; i < p->image->regions.count; i++) {
		const struct region *ours = &p->image->regions.at[i];

		if (ours->kind == REGION_INJECTED && region->start < ours->end && ours->start < region->end)
			return true;
	}
	return false;
}

static int step(struct boot *boot, long nr, const uint64_t arg[6], uint64_t *result, struct rw_error *error)
{
	return rw_inject_step(boot->p->pid, &boot->bootstrap.base, boot->bootstrap.syscall_at, nr, arg, result, error);
}

/* Two pages from `at` on, or higher, where neither the image nor the process has anything. */
static uint64_t find_vacant(const struct rw_process *p, uint64_t at)
{
	const struct region_list *image = &p->image->regions, *now = &p->now;

	while (rw_region_at(image, at) || rw_region_at(now, at) || rw_region_at(image, at + PAGE) || rw_region_at(now, at + PAGE))
		at += PAGE;
	return at;
}

/* An instruction in text of a file, by which it moves its own page, or both of its pages, out of the way of what is ours. */
static int move_away(struct boot *boot, struct rw_error *error)
{
	const uint64_t at = boot->bootstrap.syscall_at, from = at & ~(PAGE - 1), size = ((at + 1) & ~(PAGE - 1)) + PAGE - from;
	const uint64_t to = find_vacant(boot->p, find_vacant(boot->p, LOWEST) + PAGE);
	uint64_t moved;
	int failed = step(boot, SYS_mremap, (const uint64_t[6]){ from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to }, &moved, error);

	boot->bootstrap.syscall_at = to + (at - from);
	return failed;
}

/* In whatever program text has one, best where ours will not lie: the kernel puts text at random, and anywhere. */
static int find_system_call(struct boot *boot, struct rw_error *error)
{
	static const uint8_t instruction[2] = { 0x0f, 0x05 };
	struct rw_process *p = boot->p;
	uint8_t *text cleanup_(rw_free) = malloc(TEXT_LOOKED_AT);
	uint64_t *at = &boot->bootstrap.syscall_at;

	if (!text)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "program text");
	for (uint64_t i = 0; i < p->now.count; i++) {
		const struct region *region = &p->now.at[i];
		const uint64_t size = region->end - region->start;
		const uint64_t length = size < TEXT_LOOKED_AT ? size : TEXT_LOOKED_AT;
		const bool overlaps = overlaps_ours(p, region);
		const uint8_t *found;

		/* The kernel's own text cannot be moved by parts. */
		if (!(region->prot & PROT_EXEC) || region->start >> 63 || (overlaps && region->kind == REGION_SPECIAL) ||
		    rw_read_memory(p, region->start, text, length))
			continue;
		found = memmem(text, length, instruction, sizeof(instruction));
		if (!found)
			continue;
		*at = region->start + (uint64_t)(found - text);
		if (!overlaps)
			return 0;
	}
	return *at ? move_away(boot, error) : rw_fail(error, RW_UNSUPPORTED, 0, "the program makes no system call");
}

static int borrow_scratch(struct boot *boot, struct rw_error *error)
{
	return step(boot, SYS_mmap,
		    (const uint64_t[6]){ find_vacant(boot->p, LOWEST), PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1 },
		    &boot->bootstrap.scratch, error);
}

int rw_boot_enter(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	int failed = check_program(p, error);

	if (!failed)
		failed = rw_process_open(p, error);
	if (!failed)
		failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);
	if (!failed)
		failed = rw_parse_maps(p->text, &p->now, error);
	if (!failed)
		failed = rw_block_signals(p->pid, error);
	if (failed)
		return failed;
	if (ptrace(PTRACE_GETREGS, p->pid, 0, &boot->bootstrap.base))
		return rw_fail(error, RW_SYSTEM, errno, "cannot read the registers of %d", p->pid);
	failed = find_system_call(boot, error);
	if (!failed)
		failed = borrow_scratch(boot, error);
	if (!failed)
		failed = rw_rung_attach(p, &boot->bootstrap.base, boot->bootstrap.syscall_at, error);
	if (!failed)
		failed = rw_bootstrap_code(p, &boot->bootstrap, error);
	/* All numbers are closed before its descriptors are made. */
	return failed ? failed : rw_map_window(p, p->image, boot->bootstrap.scratch, error);
}
