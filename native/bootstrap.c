/* The first injected calls, by which our code, our table and the image come into a process that has nothing of ours yet. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCRATCH_SIZE PAGE

static int step(struct rw_process *p, const struct bootstrap *boot, long nr, const uint64_t arg[6], uint64_t *result,
		struct rw_error *error)
{
	return rw_inject_step(p->pid, &boot->base, boot->syscall_at, nr, arg, result, error);
}

/* The instruction of the system call that the leader sits in serves for the first injected calls. */
int rw_bootstrap_find(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	static const uint8_t instruction[2] = { 0x0f, 0x05 };
	uint8_t found[2];

	boot->base = p->image->threads[0].regs;
	boot->syscall_at = boot->base.rip;
	if (rw_read_memory(p, boot->syscall_at, found, 2) || memcmp(found, instruction, 2))
		return rw_fail(error, RW_NOT_QUIESCENT, 0, "thread %d waits in an unknown way", p->pid);
	return 0;
}

int rw_bootstrap_scratch(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	return step(p, boot, SYS_mmap,
		    (const uint64_t[6]){ 0, SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1 },
		    &boot->scratch, error);
}

static int return_scratch(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	uint64_t ignored;
	int failed = step(p, boot, SYS_munmap, (const uint64_t[6]){ boot->scratch, SCRATCH_SIZE }, &ignored, error);

	boot->scratch = 0;
	return failed;
}

int rw_seal(int fd, uint64_t size, uint8_t **here, struct rw_error *error)
{
	if (ftruncate(fd, (off_t)size))
		return rw_fail(error, RW_SYSTEM, errno, "size of a memory file");
	*here = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (*here == MAP_FAILED)
		return rw_fail(error, RW_SYSTEM, errno, "cannot map a memory file");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
		return rw_fail(error, RW_UNSUPPORTED, errno, "cannot seal a memory file (Linux 5.1 and newer)");
	return 0;
}

/*
 * Makes a memory file inside the process, fetches it, and maps it writable here. Last the process maps it, over whatever is there where *there says a place. Its pages are
 * charged to whoever touches them first: us.
 */
static int share_file(struct rw_process *p, const struct bootstrap *boot, const char *name, uint64_t size, uint64_t prot,
		      int *fd, uint8_t **here, uint64_t *there, struct rw_error *error)
{
	const uint64_t flags = MAP_SHARED | MAP_NORESERVE | (*there ? MAP_FIXED : 0);
	struct rw_error second = { 0 };
	uint64_t remote, ignored;
	int closing, failed = rw_write_memory(p, boot->scratch, name, strlen(name) + 1);

	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "cannot write the name of a memory file");
	failed = step(p, boot, SYS_memfd_create, (const uint64_t[6]){ boot->scratch, MFD_CLOEXEC | MFD_ALLOW_SEALING },
		      &remote, error);
	if (failed)
		return failed;
	*fd = (int)syscall(SYS_pidfd_getfd, p->pidfd, (int)remote, 0);
	failed = *fd < 0 ? rw_fail(error, RW_SYSTEM, errno, "cannot fetch a memory file") : rw_seal(*fd, size, here, error);
	if (!failed)
		failed = step(p, boot, SYS_mmap, (const uint64_t[6]){ *there, size, prot, flags, remote }, there, error);
	/* Whatever has failed: the process may go on without it, but not with it. */
	closing = step(p, boot, SYS_close, (const uint64_t[6]){ remote }, &ignored, failed ? &second : error);
	if (failed && closing)
		*error = second;
	return failed ? failed : closing;
}

static int share_code(struct rw_process *p, const struct bootstrap *boot, struct rw_error *error)
{
	int fd cleanup_(rw_close) = -1;
	uint8_t *here = MAP_FAILED;
	int failed = share_file(p, boot, "rewhisk-code", PAGE, PROT_READ | PROT_EXEC, &fd, &here, &p->image->code, error);

	if (!failed)
		memcpy(here, rw_parasite_start, (size_t)(rw_parasite_end - rw_parasite_start));
	if (here != MAP_FAILED)
		munmap(here, PAGE);
	return failed;
}

static int share_table(struct rw_process *p, const struct bootstrap *boot, struct rw_error *error)
{
	int fd cleanup_(rw_close) = -1;
	uint8_t *here = MAP_FAILED;
	int failed = share_file(p, boot, "rewhisk-table", TABLE_SIZE, PROT_READ, &fd, &here, &p->image->table, error);

	p->table = here == MAP_FAILED ? NULL : here;
	return failed;
}

int rw_bootstrap_code(struct rw_process *p, struct bootstrap *boot, struct rw_error *error)
{
	int failed = boot->scratch ? 0 : rw_bootstrap_scratch(p, boot, error);

	if (!failed)
		failed = share_code(p, boot, error);
	return failed ? failed : share_table(p, boot, error);
}

int rw_bootstrap_image(struct rw_process *p, struct bootstrap *boot, uint8_t **file, struct rw_error *error)
{
	struct image *image = p->image;
	int failed = share_file(p, boot, "rewhisk-image", image->size, PROT_READ, &image->fd, file, &image->window, error);

	return failed ? failed : return_scratch(p, boot, error);
}
