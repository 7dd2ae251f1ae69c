/* The file system of a lean container: what it sees of the host, its scratch space, devices and proc. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "launcher.h"
#include "lean.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Where the new root is built: a folder that every host has and that no source lies in. In our own mount namespace
 * nobody else sees it covered.
 */
#define NEW_ROOT "/proc"

#define EMPTY_FOLDER "/var/empty"

static const char *inside(char buffer[PATH_SIZE], const char *path)
{
	int length = snprintf(buffer, PATH_SIZE, NEW_ROOT "%s", path);

	if (length < 0 || length >= PATH_SIZE || path[0] != '/')
		fail(ENAMETOOLONG, "path %.64s", path);
	return buffer;
}

static void make_folder(const char *path, mode_t mode)
{
	char target[PATH_SIZE];

	inside(target, path);
	for (char *slash = strchr(target + sizeof(NEW_ROOT), '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(target, 0755) && errno != EEXIST)
			fail(errno, "make folder %s", target);
		*slash = '/';
	}
	if (mkdir(target, mode) && errno != EEXIST)
		fail(errno, "make folder %s", path);
}

static void make_parent(const char *path)
{
	char parent[PATH_SIZE];
	char *slash;

	if (snprintf(parent, sizeof(parent), "%s", path) >= (int)sizeof(parent))
		fail(ENAMETOOLONG, "path %.64s", path);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = '\0';
		make_folder(parent, 0755);
	}
}

static void make_file(const char *path, const char *content)
{
	char target[PATH_SIZE];
	int fd;

	make_parent(path);
	fd = open(inside(target, path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%s", content) < 0)
		fail(errno, "make file %s", path);
	close(fd);
}

static void make_link(const char *path, const char *content)
{
	char target[PATH_SIZE];

	make_parent(path);
	if (symlink(content, inside(target, path)))
		fail(errno, "make link %s", path);
}

static void mount_on(const char *source, const char *path, const char *type, unsigned long flags, const char *data)
{
	char target[PATH_SIZE];

	if (mount(source, inside(target, path), type, flags, data))
		fail(errno, "mount %s on %s", source, path);
}

static void restrict_mount(const char *path, unsigned int how, uint64_t attributes)
{
	struct mount_attr attr = { .attr_set = attributes };
	char target[PATH_SIZE];

	if (mount_setattr(AT_FDCWD, inside(target, path), how, &attr, sizeof(attr)))
		fail(errno, "restrict mount %s", path);
}

static void bind_read_only(const char *source, const char *path)
{
	struct stat what;

	if (stat(source, &what))
		fail(errno, "find %s", source);
	if (S_ISDIR(what.st_mode))
		make_folder(path, 0755);
	else
		make_file(path, "");
	mount_on(source, path, NULL, MS_BIND | MS_REC, NULL);
}

static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom" };
static const char *const writable[LEAN_SCRATCH_FOLDERS] = { "/tmp", "/home/action", "/dev/shm" };
static const char *const scratch_names[LEAN_SCRATCH_FOLDERS] = LEAN_SCRATCH_NAMES;

/* All that is read-only, places for what is mounted later included. */
static void build_root(const struct spec *spec)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail(errno, "private mounts");
	mount_on("rewhisk-root", "/", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m,nr_inodes=1024");
	make_folder("/proc", 0555);
	make_folder("/run", 0755);
	make_folder(EMPTY_FOLDER, 0555);
	for (int i = 0; i < LEAN_SCRATCH_FOLDERS; i++)
		make_folder(writable[i], 0755);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		make_file(devices[i], "");
	make_link("/dev/fd", "/proc/self/fd");
	make_link("/dev/stdin", "/proc/self/fd/0");
	make_link("/dev/stdout", "/proc/self/fd/1");
	make_link("/dev/stderr", "/proc/self/fd/2");
	for (int i = 0; i < spec->binds.count; i++)
		bind_read_only(spec->binds.at[i].first, spec->binds.at[i].second);
	for (int i = 0; i < spec->links.count; i++)
		make_link(spec->links.at[i].first, spec->links.at[i].second);
	for (int i = 0; i < spec->files.count; i++)
		make_file(spec->files.at[i].first, spec->files.at[i].second);
	restrict_mount("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* After all else was made "no devices". Writing to a device is no writing to the file system: read-only is no obstacle. */
static void show_devices(void)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		mount_on(devices[i], devices[i], NULL, MS_BIND, NULL);
		restrict_mount(devices[i], 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	}
}

/*
 * One file system with three folders, so that one call tells whether anything was written. Its root is mounted on /tmp and
 * then covered by its own folder tmp: only LEAN_FD_SCRATCH leads to it, and the host takes that from /proc/PID/fd.
 */
static void mount_scratch(const struct spec *spec)
{
	char data[96], target[PATH_SIZE], source[PATH_SIZE];
	int fd;

	snprintf(data, sizeof(data), "mode=755,size=%lum,nr_inodes=%lu", spec->scratch_mb, spec->scratch_inodes);
	mount_on("rewhisk-scratch", writable[0], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, data);
	fd = open(inside(target, writable[0]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || dup3(fd, LEAN_FD_SCRATCH, O_CLOEXEC) < 0)
		fail(errno, "open scratch space");
	close(fd);
	for (int i = 0; i < LEAN_SCRATCH_FOLDERS; i++)
		if (mkdirat(LEAN_FD_SCRATCH, scratch_names[i], 0755) ||
		    fchmodat(LEAN_FD_SCRATCH, scratch_names[i], LEAN_SCRATCH_MODE, 0))
			fail(errno, "make scratch folder %s", scratch_names[i]);
	for (int i = LEAN_SCRATCH_FOLDERS - 1; i >= 0; i--) {
		snprintf(source, sizeof(source), NEW_ROOT "%s/%s", writable[0], scratch_names[i]);
		mount_on(source, writable[i], NULL, MS_BIND, NULL);
	}
}

/*
 * Read-only as a whole: a process could otherwise set its own oom score, timer slack, core filter or soft-dirty bits there,
 * and none of these is put back by a rewind. hidepid=2 hides us. What tells of the machine and Docker masks, is masked.
 */
static void mount_proc(void)
{
	static const char *const folders[] = { "acpi", "asound", "bus", "driver", "fs", "irq", "scsi", "tty" };
	static const char *const files[] = { "interrupts",  "kcore",	     "keys",	      "key-users",  "kmsg",
					     "latency_stats", "sched_debug", "sysrq-trigger", "timer_list", "timer_stats" };
	char target[PATH_SIZE], path[64];

	mount_on("proc", "/proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s", folders[i]);
		if (access(inside(target, path), F_OK) == 0)
			mount_on(NEW_ROOT EMPTY_FOLDER, path, NULL, MS_BIND, NULL);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s", files[i]);
		if (access(inside(target, path), F_OK) == 0)
			mount_on(NEW_ROOT "/dev/null", path, NULL, MS_BIND, NULL);
	}
}

/* The old root is stacked upon the new one and then taken away: no folder is needed for it. See pivot_root(2). */
static void leave_old_root(void)
{
	if (chdir(NEW_ROOT) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		fail(errno, "enter the new root");
}

/* The host's own could be given other times, which all containers see. */
static void open_own_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, LEAN_FD_NULL) < 0)
		fail(errno, "open /dev/null");
	close(fd);
}

/* In this order: what is mounted later shows through, and the host's paths are the sources until the end. */
void enter_new_root(const struct spec *spec)
{
	build_root(spec);
	show_devices();
	mount_scratch(spec);
	mount_proc();
	leave_old_root();
	open_own_null();
}
