/* Looks for a mark in all that can be read of a container: as a program from outside, as an act of hostile.c from inside. */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line says where the mark was found: the number of its form, the place, the offset of the first find there. A line that
 * begins with `!` says what could not be read.
 */
#include "../canary.h"
#include "seek.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void each_number(struct seeker *s, const char *folder, const char *process,
			void (*use)(struct seeker *s, const char *process, int number))
{
	char path[64];
	struct dirent *entry;
	DIR *entries;

	snprintf(path, sizeof(path), "/proc/%s/%s", process, folder);
	entries = opendir(path);
	while (entries && (entry = readdir(entries)))
		if (entry->d_name[0] != '.' && (s->outside || dirfd(entries) != atoi(entry->d_name)))
			use(s, process, atoi(entry->d_name));
	if (entries)
		closedir(entries);
}

static void use_thread(struct seeker *s, const char *process, int thread)
{
	char where[64];

	snprintf(where, sizeof(where), "registers %s %d", process, thread);
	seek_registers(s, thread, where);
}

static void use_descriptor(struct seeker *s, const char *process, int number)
{
	int pidfd = s->outside ? (int)syscall(SYS_pidfd_open, atoi(process), 0) : -1;
	int fd = s->outside ? (int)syscall(SYS_pidfd_getfd, pidfd, number, 0) : number;

	if (fd >= 0)
		seek_descriptor(s, fd, process, number);
	if (s->outside) {
		close(fd);
		close(pidfd);
	}
}

static void search_process(struct seeker *s, const char *process)
{
	char path[64];

	seek_memory(s, process);
	each_number(s, "fd", process, use_descriptor);
	if (!s->outside)
		return;
	each_number(s, "task", process, use_thread);
	snprintf(path, sizeof(path), "/proc/%s", process);
	seek_tree(s, path, PROC);
}

static bool is_beside(const char *process, const struct stat *space)
{
	char path[64];
	struct stat other;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/pid", process);
	return !stat(path, &other) && other.st_ino == space->st_ino;
}

/* Every process in the pid namespace of this one. */
static void search_from_outside(struct seeker *s, const char *process)
{
	char path[64];
	struct stat space;
	struct dirent *entry;
	DIR *all = opendir("/proc");

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", process);
	if (!all || stat(path, &space))
		fprintf(s->found, "! process %s\n", process);
	else
		while ((entry = readdir(all)))
			if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && is_beside(entry->d_name, &space))
				search_process(s, entry->d_name);
	if (all)
		closedir(all);
}

static void search_from_inside(struct seeker *s)
{
	search_process(s, "self");
	seek_tree(s, "/proc", PROC);
	seek_tree(s, "/tmp", SCRATCH);
	seek_tree(s, "/home", SCRATCH);
	seek_tree(s, "/dev", SCRATCH);
	seek_tree(s, "/etc", SCRATCH);
}

long seek(const char *pieces, const char *process, FILE *found)
{
	struct seeker *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long result;

	if (s == MAP_FAILED)
		return -errno;
	s->found = found;
	s->outside = process != NULL;
	result = seek_load(s, pieces);
	if (!result && process)
		search_from_outside(s, process);
	else if (!result)
		search_from_inside(s);
	if (!result)
		result = s->reported_count;
	munmap(s, sizeof(*s));
	return result;
}

int main(int argc, char **argv)
{
	long found = argc == 3 ? seek(argv[1], argv[2], stdout) : -EINVAL;

	if (found < 0)
		fprintf(stderr, "%s PIECES PID: %s\n", argv[0], strerror((int)-found));
	return found < 0;
}
