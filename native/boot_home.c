/* Booting from an embryo, second part: the newborn becomes what a runtime is that the launcher has started. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PASSING_LIMITS (TABLE_PASSING + 64) /* beyond what become_user() passes */

/* From here on a process like any that is booted. */
static int own(struct birth *birth, struct frozen *frozen, struct rw_error *error)
{
	struct rw_process *p = birth->boot.p;
	const struct rw_process *embryo = birth->embryo;
	uint64_t tids = 0, signals = 0;

	p->pid = p->image->threads[0].tid = birth->child;
	p->frozen = frozen;
	if (rw_reserve(&frozen->tids, &tids, 1, sizeof(pid_t)) || rw_reserve(&frozen->signals, &signals, 1, sizeof(int))) {
		rw_kill_and_collect(&birth->child);
		return rw_fail(error, RW_SYSTEM, ENOMEM, "process %d", p->pid);
	}
	frozen->pid = frozen->tids[0] = p->pid;
	frozen->signals[0] = 0;
	frozen->capacity = (uint32_t)(tids < signals ? tids : signals);
	frozen->count = frozen->known = 1;
	frozen->touched = true;
	p->mounts = fcntl(embryo->mounts, F_DUPFD_CLOEXEC, 0);
	p->shared_pages = fcntl(embryo->pagemap, F_DUPFD_CLOEXEC, 0);
	if (p->mounts < 0 || p->shared_pages < 0)
		return rw_fail(error, RW_SYSTEM, errno, "process %d", p->pid);
	return rw_process_open(p, error);
}

/* The launcher has what lies between the host and the container, and gives it as it does to a runtime that it starts. */
static int take_descriptors(struct birth *birth, struct rw_error *error)
{
	struct rw_process *p = birth->boot.p;
	const uint64_t aside = birth->given; /* the first that is not the runtime's, whatever the limit */
	int failed = rw_op(p, error, SYS_dup3, 0, FD_INIT, aside, O_CLOEXEC, 0, 0, 0);

	if (!failed)
		failed = rw_op(p, error, SYS_close_range, 0, 0, aside - 1, 0, 0, 0, 0);
	for (uint64_t fd = 0; fd < birth->given && !failed; fd++)
		failed = rw_op(p, error, SYS_pidfd_getfd, 0, aside, fd, 0, 0, 0, 0);
	/* The table of descriptors is grown to its limit: see launcher_runtime.c. */
	if (!failed)
		failed = rw_op(p, error, SYS_fcntl, 0, 0, F_DUPFD_CLOEXEC, birth->embryo->embryo->files - 1, 0, 0, 0);
	if (!failed)
		failed = rw_op(p, error, SYS_close_range, 0, birth->given, ~0U, 0, 0, 0, 0);
	return failed;
}

/* As launcher_runtime.c does for a runtime that is started; what is missing of that the embryo has done. */
static int become_user(struct birth *birth, struct rw_error *error)
{
	static const struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
	struct rw_process *p = birth->boot.p;
	const uint64_t uid = birth->uid, gid = birth->gid;
	uint64_t at_header, at_none;
	const struct {
		int64_t nr;
		uint64_t arg[3];
	} calls[] = {
		{ SYS_unshare, { CLONE_NEWCGROUP } },
		{ SYS_setsid, { 0 } },
		{ SYS_setgroups, { 0, 0 } },
		{ SYS_setresgid, { gid, gid, gid } },
		{ SYS_setresuid, { uid, uid, uid } },
		{ SYS_prctl, { PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL } },
		{ SYS_capset, { p->image->table + TABLE_PASSING, p->image->table + TABLE_PASSING + sizeof(header) } },
		/* After the change of user, which clears them. */
		{ SYS_prctl, { PR_SET_DUMPABLE, 1 } },
		{ SYS_prctl, { PR_SET_PDEATHSIG, SIGKILL } },
	};
	int failed = 0;

	if (rw_constants_put(p, TABLE_PASSING, &header, sizeof(header), &at_header) ||
	    rw_constants_put(p, TABLE_PASSING + sizeof(header), none, sizeof(none), &at_none))
		return rw_fail(error, RW_SYSTEM, E2BIG, "capabilities");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls) && !failed; i++)
		failed = rw_op(p, error, calls[i].nr, 0, calls[i].arg[0], calls[i].arg[1], calls[i].arg[2], 0, 0, 0);
	return failed;
}

/* What the embryo's mappings have not, lest a child be without them. */
static int keep_from_children(struct rw_process *p, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	int failed = 0;

	for (uint64_t i = 0; i < list->count && !failed; i++) {
		const struct region *region = &list->at[i];
		const uint64_t length = region->end - region->start;

		if (region->flags & FLAG_DONTFORK)
			failed = rw_op(p, error, SYS_madvise, 0, region->start, length, MADV_DONTFORK, 0, 0, 0);
		if (!failed && region->flags & FLAG_WIPEONFORK && region->kind != REGION_DROPPABLE)
			failed = rw_op(p, error, SYS_madvise, 0, region->start, length, MADV_WIPEONFORK, 0, 0, 0);
	}
	return failed;
}

/* In one go: each time that the process is awaited costs more than what it does. */
static int settle(struct birth *birth, struct rw_error *error)
{
	struct rw_process *p = birth->boot.p;
	int failed;

	rw_auxiliary_name(&p->image->origin, birth->uid, birth->gid);
	failed = rw_put_constants(p, error);
	if (!failed)
		failed = take_descriptors(birth, error);
	if (!failed)
		failed = rw_boot_limits(p, PASSING_LIMITS, error);
	if (!failed)
		failed = become_user(birth, error);
	if (!failed)
		failed = keep_from_children(p, error);
	if (!failed)
		failed = rw_boot_barriers(p, error);
	if (!failed)
		failed = rw_rung_attach_by_table(p, error);
	if (!failed && syscall(SYS_pidfd_send_signal, birth->init, SIGUSR1, NULL, 0))
		failed = rw_fail(error, RW_PROCESS_GONE, errno, "cannot tell the launcher");
	if (!failed)
		failed = rw_register_all(p, error);
	if (!failed)
		failed = rw_boot_descriptors(&birth->boot, error);
	return failed ? failed : rw_boot_threads(&birth->boot, error);
}

static int settle_in(struct birth *birth, struct frozen *frozen, bool verify, struct rw_error *error)
{
	int failed = rw_be_born(birth, error);

	if (!failed)
		failed = own(birth, frozen, error);
	if (!failed)
		failed = settle(birth, error);
	if (!failed)
		failed = rw_boot_layout(&birth->boot, error);
	return failed ? failed : rw_boot_finish(birth->boot.p, verify, error);
}

/* Asked last whether it is collected: until then the number that was looked at was its own, and no other process can have had it. */
static bool is_launcher_gone(const struct birth *birth, pid_t init_pid)
{
	return rw_is_gone(init_pid) || syscall(SYS_pidfd_send_signal, birth->init, 0, NULL, 0);
}

int rw_boot_from(struct rw_process *embryo, int32_t init_pid, int32_t init, uint32_t uid, uint32_t gid, const char *cgroups,
		 uint64_t cgroups_length, uint32_t given, uint32_t verify, struct rw_process **process,
		 struct rw_summary *summary, struct rw_error *error)
{
	const double start = rw_now_us();
	struct rw_process *p = rw_boot_bind(embryo, 0);
	struct birth birth = { .boot = { .p = p, .bootstrap = { .scratch = embryo->embryo->scratch } },
			       .embryo = embryo, .uid = uid, .gid = gid,
			       .joins = { .folder = -1 }, .given = given, .init = init };
	struct frozen frozen = { 0 };
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	if (!p)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a boot");
	p->rung = embryo->embryo->rung;
	failed = rw_joins_open(&birth.joins, cgroups, cgroups_length, error);
	if (!failed)
		failed = settle_in(&birth, &frozen, verify, error);
	rw_joins_close(&birth.joins);
	/* With the container goes whatever is being born in it, at any step. */
	if (failed && is_launcher_gone(&birth, init_pid))
		error->reason = RW_PROCESS_GONE;
	failed = rw_boot_done(p, &frozen, failed, error);
	if (failed) {
		rw_release(p);
		return failed;
	}
	rw_boot_summary(p, start, summary);
	*process = p;
	return 0;
}
