/* Files and what lies behind descriptors, searched for the mark. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seek.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TMPFS 0x01021994

static void search_stream(struct seeker *s, int fd, const char *where)
{
	ssize_t kept = 0, got;

	for (uint64_t at = 0; (got = read(fd, s->buffer + kept, CHUNK - (size_t)kept)) > 0; at += (uint64_t)got) {
		seek_bytes(s, s->buffer, (size_t)(kept + got), (size_t)(kept + got), where, at - (uint64_t)kept);
		/* A piece may lie across two reads; one that is wholly in what is kept is reported twice, which does no harm. */
		got += kept;
		kept = got < (ssize_t)OVERLAP ? got : (ssize_t)OVERLAP;
		memmove(s->buffer, s->buffer + got - kept, (size_t)kept);
		got -= kept;
	}
}

static void search_attributes(struct seeker *s, const char *path, const char *where)
{
	char names[4096], value[4096], what[512];
	ssize_t length = llistxattr(path, names, sizeof(names));

	for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
		ssize_t size = lgetxattr(path, name, value, sizeof(value));

		snprintf(what, sizeof(what), "attribute %.400s", where);
		seek_text(s, name, strlen(name), what);
		if (size > 0)
			seek_text(s, value, (size_t)size, what);
	}
}

/* In /proc: ways to memory, another way to the same, what is the host's and cannot be written from a container. */
static bool is_skipped(const char *name, bool in_task)
{
	const char *const skipped[] = { "mem", "pagemap", "clear_refs", "smaps", "smaps_rollup", "numa_maps", "kcore",
					"kallsyms", "kpagecount", "kpageflags", "kpagecgroup", "kmsg", "sys" };

	for (size_t i = 0; i < sizeof(skipped) / sizeof(*skipped); i++)
		if (!strcmp(name, skipped[i]))
			return true;
	return in_task && !strcmp(name, "net");
}

static void search_entry(struct seeker *s, const char *path, const char *name, enum place place)
{
	char where[512], target[4096];
	struct stat status;
	ssize_t length;
	int fd;

	snprintf(where, sizeof(where), "name %.480s", path);
	seek_text(s, name, strlen(name), where);
	if (lstat(path, &status))
		return;
	if (place == SCRATCH)
		search_attributes(s, path, path);
	if (S_ISDIR(status.st_mode)) {
		seek_tree(s, path, place == PROC && !strcmp(name, "task") ? TASK : place);
	} else if (S_ISLNK(status.st_mode)) {
		length = readlink(path, target, sizeof(target));
		snprintf(where, sizeof(where), "link %.480s", path);
		seek_text(s, target, length > 0 ? (size_t)length : 0, where);
	} else if (S_ISREG(status.st_mode)) {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
		snprintf(where, sizeof(where), "file %.480s", path);
		if (fd >= 0)
			search_stream(s, fd, where);
		close(fd);
	}
}

void seek_tree(struct seeker *s, const char *folder, enum place place)
{
	char path[4096];
	struct dirent *entry;
	DIR *entries = opendir(folder);

	while (entries && (entry = readdir(entries))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    (place != SCRATCH && is_skipped(entry->d_name, place == TASK)) ||
		    (size_t)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= sizeof(path))
			continue;
		search_entry(s, path, entry->d_name, place);
	}
	if (entries)
		closedir(entries);
}

/* Copied into a pipe of ours, the bytes stay where they are. The writing end is opened anew, for reading. */
static void search_pipe(struct seeker *s, const char *self, const char *where)
{
	int from = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC), copy[2];

	if (from >= 0 && !pipe2(copy, O_NONBLOCK | O_CLOEXEC)) {
		fcntl(copy[1], F_SETPIPE_SZ, CHUNK);
		if (tee(from, copy[1], CHUNK, SPLICE_F_NONBLOCK) > 0)
			search_stream(s, copy[0], where);
		close(copy[0]);
		close(copy[1]);
	}
	close(from);
}

void seek_descriptor(struct seeker *s, int fd, const char *process, int number)
{
	struct stat status;
	struct statfs system;
	char self[64], where[64];
	ssize_t got;
	int file;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fstat(fd, &status))
		return;
	snprintf(where, sizeof(where), "%s %s %d",
		 S_ISSOCK(status.st_mode) ? "socket" : S_ISFIFO(status.st_mode) ? "pipe" : "descriptor", process, number);
	if (S_ISSOCK(status.st_mode)) {
		got = recv(fd, s->buffer, CHUNK, MSG_PEEK | MSG_DONTWAIT);
		seek_bytes(s, s->buffer, got > 0 ? (size_t)got : 0, CHUNK, where, 0);
	} else if (S_ISFIFO(status.st_mode)) {
		search_pipe(s, self, where);
	} else if (!fstatfs(fd, &system) && system.f_type == TMPFS) {
		/* Files without a name, and the scratch space's root, which no path leads to. */
		file = open(self, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (S_ISREG(status.st_mode) && file >= 0)
			search_stream(s, file, where);
		if (S_ISDIR(status.st_mode))
			seek_tree(s, self, SCRATCH);
		close(file);
	}
}
