/* Booting: a new process becomes what the image's was, and is bound to the image as that is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In place of the line of `is` that begins so. NULL where there is no memory. */
static char *with_line_of(const char *status, const char *is, const char *key)
{
	const char *old = strstr(status, key), *new = strstr(is, key);
	const size_t size = strlen(status) + strlen(is) + 1;
	char *text = old && new ? malloc(size) : NULL;

	if (text)
		snprintf(text, size, "%.*s%.*s%s", (int)(old - status), status, (int)strcspn(new + 1, "\n") + 1, new,
			 old + 1 + strcspn(old + 1, "\n"));
	return text;
}

/* Its user is its own, all else must be the image's. */
static int adopt_status(struct rw_process *p, struct rw_error *error)
{
	static const char *const keys[] = { "\nUid:", "\nGid:" };
	char text[STATUS_SIZE];
	ssize_t got = pread(p->status, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return rw_fail(error, RW_PROCESS_GONE, got < 0 ? errno : 0, "cannot read the status of process %d", p->pid);
	text[got] = 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		char *status = with_line_of(p->image->kernel.status, text, keys[i]);

		if (!status)
			return rw_fail(error, RW_SYSTEM, ENOMEM, "status of process %d", p->pid);
		free(p->image->kernel.status);
		p->image->kernel.status = status;
	}
	return 0;
}

/* The threads lend themselves for the first comparison; the second is of what will run. */
int rw_boot_finish(struct rw_process *p, bool verify, struct rw_error *error)
{
	int failed = adopt_status(p, error);

	if (!failed)
		failed = rw_check_status(p, error);
	if (!failed && verify)
		failed = rw_kernel_compare(p, error);
	if (!failed)
		failed = rw_rung_arm(p, error);
	if (!failed)
		failed = rw_registers_set(p->image->threads, 0, p->image->thread_count, error);
	if (!failed)
		failed = rw_put_back_cpu_number(p, error);
	if (!failed)
		failed = rw_clear_table(p, error);
	return failed || !verify ? failed : rw_compare_frozen(p, true, error);
}

static int become(struct rw_process *p, int go, bool verify, struct rw_error *error)
{
	struct boot boot = { .p = p };
	int failed = rw_boot_catch(&boot, go, error);

	if (!failed)
		failed = rw_boot_enter(&boot, error);
	if (!failed)
		failed = rw_put_constants(p, error);
	if (!failed)
		failed = rw_boot_memory(&boot, error);
	if (!failed)
		failed = rw_boot_descriptors(&boot, error);
	if (!failed)
		failed = rw_boot_threads(&boot, error);
	if (!failed)
		failed = rw_boot_layout(&boot, error);
	return failed ? failed : rw_boot_finish(p, verify, error);
}

struct rw_process *rw_boot_bind(const struct rw_process *template, pid_t pid)
{
	struct rw_process *p = rw_process_new(pid, template->rung);

	if (!p)
		return NULL;
	if (rw_image_copy(template->image, p->image)) {
		rw_release(p);
		return NULL;
	}
	p->image->threads[0].tid = pid;
	return p;
}

/*
 * Kills it, and collects whatever of it is traced: a thread may have been born that nobody has been told of, and as long as we
 * have not, its process cannot be reaped by its parent.
 */
void rw_boot_end(struct frozen *frozen)
{
	int status;

	kill(frozen->pid, SIGKILL);
	while (waitpid(-1, &status, __WALL | __WNOTHREAD) > 0 || errno == EINTR)
		;
	frozen->count = 0;
}

static bool was_killed(pid_t pid)
{
	struct rw_process p = { .status = -1 };
	char path[40];
	bool killed;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	p.status = open(path, O_RDONLY | O_CLOEXEC);
	killed = p.status < 0 || rw_was_killed(&p);
	rw_close(&p.status);
	return killed;
}

/* Asked twice: its end may lie between two lines of what is read. */
bool rw_is_gone(pid_t pid)
{
	return was_killed(pid) || was_killed(pid);
}

int rw_boot_done(struct rw_process *p, struct frozen *frozen, int failed, struct rw_error *error)
{
	if (failed) {
		if (p->pid && rw_is_gone(p->pid))
			error->reason = RW_PROCESS_GONE;
		error->untouched = !frozen->touched;
		if (frozen->count)
			rw_boot_end(frozen);
	}
	frozen->touched = false;
	return rw_thaw_after(frozen, failed, error);
}

void rw_boot_summary(const struct rw_process *p, double start, struct rw_summary *summary)
{
	*summary = (struct rw_summary){
		.threads = p->image->thread_count,
		.regions = (uint32_t)p->image->regions.count,
		.descriptors = p->image->descriptor_count,
		.pages = p->image->pages_saved,
		.took_us = rw_now_us() - start,
	};
}

static int boot(struct rw_process *p, int go, bool verify, struct rw_error *error)
{
	struct frozen frozen = { 0 };

	p->frozen = &frozen;
	return rw_boot_done(p, &frozen, become(p, go, verify, error), error);
}

int rw_template(struct rw_process *process, struct rw_process **template, struct rw_error *error)
{
	*error = (struct rw_error){ .untouched = 1 };
	/* A level's image refers to the base's, and to what was mapped since. */
	if (process->below.image)
		return rw_fail(error, RW_UNSUPPORTED, EEXIST, "process %d is at a level", process->pid);
	*template = rw_boot_bind(process, 0);
	return *template ? 0 : rw_fail(error, RW_SYSTEM, ENOMEM, "a copy of the image of process %d", process->pid);
}

int rw_boot(struct rw_process *template, int32_t pid, int32_t go, uint32_t verify, struct rw_process **process,
	    struct rw_summary *summary, struct rw_error *error)
{
	const double start = rw_now_us();
	struct rw_process *p;
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	p = rw_boot_bind(template, pid);
	if (!p)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "process %d", pid);
	failed = boot(p, go, verify, error);
	if (failed) {
		rw_release(p);
		return failed;
	}
	rw_boot_summary(p, start, summary);
	*process = p;
	return 0;
}
