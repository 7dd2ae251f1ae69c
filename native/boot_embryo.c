/* The embryo: a process that has a template's memory and no more, runs nothing of its own, and is forked for each boot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"
#include "lean.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_CAPABILITY 63
#define OF_A_FORK (FLAG_DONTFORK | FLAG_WIPEONFORK) /* with these a child would miss pages */

/* What keeps memory from the children is set in each of them. */
static int map_memory(struct boot *boot, const struct image *template, struct rw_error *error)
{
	struct region_list *list = &boot->p->image->regions;
	int failed;

	for (uint64_t i = 0; i < list->count; i++)
		list->at[i].flags &= (uint16_t)~OF_A_FORK;
	failed = rw_boot_memory(boot, error);
	for (uint64_t i = 0; i < list->count; i++)
		list->at[i].flags = template->regions.at[i].flags;
	return failed;
}

/* What all children inherit: nothing that they execute gains privileges. Theirs they drop when they are where they belong. */
static int settle(struct rw_process *p, struct rw_error *error)
{
	const struct kernel_sigaction ignore = { .handler = (uint64_t)(uintptr_t)SIG_IGN };
	uint64_t address;
	int failed = rw_op(p, error, SYS_close_range, 0, 0, ~0U, 0, 0, 0, 0);

	for (uint64_t i = 0; i <= LAST_CAPABILITY && !failed; i++)
		failed = rw_op(p, error, SYS_prctl, OP_MAY_FAIL, PR_CAPBSET_DROP, i, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_prctl, 0, PR_SET_SECUREBITS, LEAN_SECUREBITS, 0, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
	/* The one between it and a child of it leaves no zombie. */
	if (!failed && rw_constants_put(p, TABLE_PASSING, &ignore, sizeof(ignore), &address))
		failed = rw_fail(error, RW_SYSTEM, E2BIG, "signal action");
	if (!failed)
		failed = rw_op(p, error, SYS_rt_sigaction, 0, SIGCHLD, address, 0, 8, 0, 0);
	return failed ? failed : rw_run_ops(p, NULL, error);
}

/* A capability of those that the kernel knows may have been kept: all that are born would be refused for it. */
static int check_inherited(struct rw_process *p, struct rw_error *error)
{
	static const char *const keys[] = { "\nCapBnd:", "\nNoNewPrivs:" };
	char text[STATUS_SIZE];
	ssize_t got = pread(p->status, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return rw_fail(error, RW_PROCESS_GONE, got < 0 ? errno : 0, "cannot read the status of process %d", p->pid);
	text[got] = 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *was = strstr(p->image->kernel.status, keys[i]), *is = strstr(text, keys[i]);
		const size_t length = was ? strcspn(was + 1, "\n") + 2 : 0;

		if (!was || !is || strncmp(was, is, length))
			return rw_fail(error, RW_KERNEL_STATE, 0, "the embryo differs: was \"%.*s\"", (int)length - 2, was ? was + 1 : "");
	}
	return 0;
}

int rw_embryo_park(struct rw_process *p, struct rw_error *error)
{
	struct user_regs_struct regs = p->image->threads[0].regs;
	struct op *ops = rw_thread_ops(p, 1);

	ops[0] = (struct op){ .nr = SYS_close_range, .arg = { 0, ~0U } };
	ops[1] = (struct op){ .nr = SYS_ppoll };
	ops[2] = (struct op){ .nr = OP_END };
	regs.rip = p->image->code;
	regs.rbx = p->image->table + (uint64_t)((uint8_t *)ops - p->table);
	regs.rsp = p->image->table + AT_ZERO;
	regs.rax = 0;
	regs.orig_rax = (uint64_t)-1;
	if (ptrace(PTRACE_SETREGS, p->pid, 0, &regs) || ptrace(PTRACE_DETACH, p->pid, 0, 0))
		return rw_fail(error, RW_PROCESS_GONE, errno, "process %d", p->pid);
	return 0;
}

/* Its own mount namespace names the files of its mappings, and so those of its children's. */
static int open_mounts(struct rw_process *p, struct rw_error *error)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", p->pid);
	p->mounts = open(path, O_RDONLY | O_CLOEXEC);
	return p->mounts < 0 ? rw_fail(error, RW_SYSTEM, errno, "cannot open %s", path) : 0;
}

static int become(struct boot *boot, struct rw_process *template, int go, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	struct rlimit files;
	int failed = rw_boot_catch(boot, go, error);

	if (!failed)
		failed = rw_boot_enter(boot, error);
	if (!failed)
		failed = rw_put_constants(p, error);
	if (!failed)
		failed = map_memory(boot, template->image, error);
	if (!failed)
		failed = settle(p, error);
	if (!failed)
		failed = check_inherited(p, error);
	if (!failed)
		failed = open_mounts(p, error);
	if (!failed && prlimit(p->pid, RLIMIT_NOFILE, NULL, &files))
		failed = rw_fail(error, RW_SYSTEM, errno, "limits of process %d", p->pid);
	/* Once for all that will share it. */
	if (!failed)
		failed = rw_compare_memory(p, true, error);
	if (failed)
		return failed;
	p->embryo->scratch = boot->bootstrap.scratch;
	p->embryo->files = files.rlim_cur;
	return rw_embryo_park(p, error);
}

int rw_embryo(struct rw_process *template, int32_t pid, int32_t go, struct rw_process **embryo, struct rw_error *error)
{
	struct frozen frozen = { 0 };
	struct rw_process *p = rw_boot_bind(template, pid);
	struct boot boot = { .p = p };
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	if (p)
		p->embryo = calloc(1, sizeof(*p->embryo));
	if (!p || !p->embryo) {
		rw_release(p);
		return rw_fail(error, RW_SYSTEM, ENOMEM, "process %d", pid);
	}
	pthread_mutex_init(&p->embryo->turn, NULL);
	p->embryo->rung = p->rung;
	p->rung = RW_COPY_ALL; /* nobody writes to it */
	p->frozen = &frozen;
	failed = become(&boot, template, go, error);
	if (failed) {
		error->untouched = !frozen.touched;
		if (frozen.count)
			rw_boot_end(&frozen);
		rw_release(p);
	} else {
		*embryo = p;
	}
	free(frozen.tids);
	free(frozen.signals);
	return failed;
}
