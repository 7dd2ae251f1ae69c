/* What only a process that is booted from an image needs to know of the one that it was taken from. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMBARRIER_GET_REGISTRATIONS (1 << 9) /* Linux 6.3; before there is nobody to ask */
#define FIELDS 52			      /* of /proc/PID/stat */

static int read_file(const char *path, char *to, size_t size, size_t *length, struct rw_error *error)
{
	int fd cleanup_(rw_close) = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, to, size - 1);

	if (got <= 0)
		return rw_fail(error, RW_SYSTEM, got < 0 ? errno : 0, "cannot read %s", path);
	to[got] = 0;
	*length = (size_t)got;
	return 0;
}

/* Numbers as proc_pid_stat(5) counts them. */
static int save_limits(struct rw_process *p, struct rw_error *error)
{
	struct prctl_mm_map *limits = &p->image->origin.limits;
	char path[40], text[2048], *at;
	uint64_t field[FIELDS + 1] = { 0 };
	size_t length;
	int failed;

	snprintf(path, sizeof(path), "/proc/%d/stat", p->pid);
	failed = read_file(path, text, sizeof(text), &length, error);
	if (failed)
		return failed;
	at = strrchr(text, ')');
	if (!at)
		return rw_fail(error, RW_SYSTEM, 0, "cannot parse %s", path);
	at += 4; /* the name's end and the state */
	for (int i = 4; i <= FIELDS; i++)
		field[i] = strtoull(at, &at, 10);
	*limits = (struct prctl_mm_map){
		.start_code = field[26],
		.end_code = field[27],
		.start_data = field[45],
		.end_data = field[46],
		.start_brk = field[47],
		.brk = p->image->kernel.inside.program_break,
		.start_stack = field[28],
		.arg_start = field[48],
		.arg_end = field[49],
		.env_start = field[50],
		.env_end = field[51],
		.exe_fd = (uint32_t)-1,
	};
	return 0;
}

static bool tells_who(uint64_t type)
{
	return type == AT_UID || type == AT_EUID || type == AT_GID || type == AT_EGID;
}

static int save_auxiliary(struct rw_process *p, struct rw_error *error)
{
	struct origin *origin = &p->image->origin;
	char path[40];
	size_t length = 0;
	int failed;

	snprintf(path, sizeof(path), "/proc/%d/auxv", p->pid);
	failed = read_file(path, (char *)origin->auxiliary, sizeof(origin->auxiliary), &length, error);
	origin->auxiliary_length = (uint32_t)length;
	return failed;
}

int rw_auxiliary_adopt(struct rw_process *p, struct rw_error *error)
{
	struct origin *origin = &p->image->origin;
	uint64_t(*vector)[2] = (uint64_t(*)[2])(void *)origin->auxiliary, own[AUXILIARY_SIZE / sizeof(uint64_t)] = { 0 };
	char path[40];
	size_t length;
	int failed;

	snprintf(path, sizeof(path), "/proc/%d/auxv", p->pid);
	failed = read_file(path, (char *)own, sizeof(own), &length, error);
	for (size_t i = 0; i < origin->auxiliary_length / sizeof(*vector) && !failed; i++)
		for (size_t k = 0; k + 1 < length / sizeof(*own); k += 2)
			if (tells_who(vector[i][0]) && own[k] == vector[i][0])
				vector[i][1] = own[k + 1];
	return failed;
}

void rw_auxiliary_name(struct origin *origin, uint64_t uid, uint64_t gid)
{
	uint64_t(*vector)[2] = (uint64_t(*)[2])(void *)origin->auxiliary;

	for (size_t i = 0; i < origin->auxiliary_length / sizeof(*vector); i++)
		if (tells_who(vector[i][0]))
			vector[i][1] = vector[i][0] == AT_UID || vector[i][0] == AT_EUID ? uid : gid;
}

static int save_barriers(struct rw_process *p, struct rw_error *error)
{
	int64_t registered = 0;
	int failed = rw_op(p, error, SYS_membarrier, OP_CAPTURE | OP_MAY_FAIL, MEMBARRIER_GET_REGISTRATIONS, 0, 0, 0, 0, 0);

	if (!failed)
		failed = rw_run_ops(p, &registered, error);
	p->image->origin.barriers = registered > 0 ? (uint64_t)registered : 0;
	return failed;
}

int rw_program(pid_t pid, dev_t *device, ino_t *inode, struct rw_error *error)
{
	char path[40];
	struct stat program;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (stat(path, &program))
		return rw_fail(error, RW_SYSTEM, errno, "cannot look at %s", path);
	*device = program.st_dev;
	*inode = program.st_ino;
	return 0;
}

int rw_inner_id(pid_t pid, pid_t tid, pid_t *inner, struct rw_error *error)
{
	char path[64], text[STATUS_SIZE], *line;
	size_t length;
	int failed;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	failed = read_file(path, text, sizeof(text), &length, error);
	if (failed)
		return failed;
	*inner = tid;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return 0; /* a kernel without pid namespaces */
	line++;
	line[strcspn(line, "\n")] = 0;
	*inner = (pid_t)atoi(strrchr(line, '\t') + 1);
	return 0;
}

int rw_origin_save(struct rw_process *p, struct rw_error *error)
{
	int failed = save_limits(p, error);

	if (!failed)
		failed = save_auxiliary(p, error);
	if (!failed)
		failed = save_barriers(p, error);
	if (!failed)
		failed = rw_program(p->pid, &p->image->origin.device, &p->image->origin.inode, error);
	for (uint32_t i = 0; i < p->image->thread_count && !failed; i++)
		failed = rw_inner_id(p->pid, p->image->threads[i].tid, &p->image->threads[i].inner, error);
	return failed;
}

/* Two that are the same open file share position and flags. */
static uint32_t first_of_same(const struct rw_process *p, uint32_t index)
{
	const pid_t self = getpid();

	for (uint32_t i = 0; i < index; i++)
		if (p->image->descriptors[i].type == p->image->descriptors[index].type &&
		    !syscall(SYS_kcmp, self, self, KCMP_FILE, (unsigned long)p->held[i], (unsigned long)p->held[index]))
			return i;
	return index;
}

int rw_descriptor_origins_save(struct rw_process *p, struct rw_error *error)
{
	for (uint32_t i = 0; i < p->image->descriptor_count; i++) {
		struct descriptor *descriptor = &p->image->descriptors[i];
		char path[64], link[PATH_MAX] = "";
		struct stat file;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", p->pid, descriptor->fd);
		if (fstat(p->held[i], &file) || readlink(path, link, sizeof(link) - 1) < 0)
			return rw_fail(error, RW_SYSTEM, errno, "cannot read %s", path);
		descriptor->type = file.st_mode & S_IFMT;
		descriptor->device = file.st_rdev;
		descriptor->same_as = first_of_same(p, i);
		if (rw_reserve(&descriptor->path, &(uint64_t){ 0 }, strlen(link) + 1, 1))
			return rw_fail(error, RW_SYSTEM, ENOMEM, "path of descriptor %d", descriptor->fd);
		strcpy(descriptor->path, link);
	}
	return 0;
}
