/* The launcher: pid 1 of a lean container. Builds its world, starts the runtime in it, reaps what is left to it. */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * lean OPTION... -- COMMAND...          started by lean_start() in new pid, mount, ipc, uts and network namespaces
 *
 *   --ro-bind SOURCE:TARGET   shows a file or folder of the host, read-only, with what is mounted below it
 *   --link TARGET:CONTENT     makes a symbolic link
 *   --file TARGET:CONTENT     makes a file
 *   --scratch-mb N            size of the one writable place, which is seen as /tmp, /home/action and /dev/shm
 *   --scratch-inodes N        how many files it may hold
 *   --join FILE               a cgroup.procs file; the runtime joins before anything else
 *   --filter FILE             seccomp program as the kernel takes it, at most 4096 instructions
 *   --uid N --gid N --hostname NAME --nofile N --oom-score N --cwd FOLDER --env NAME=VALUE
 *
 * On the status pipe it says, one line each: `started` once the runtime has been executed; then `exit CODE` or
 * `signal NUMBER` at the runtime's end. Or, at any point, `failed STEP: REASON`. When the launcher ends, the kernel kills
 * all that is left in the pid namespace. It ends when the runtime does, and is killed when the host's process dies.
 *
 * Everything is opened close-on-exec: the runtime has descriptors 0 to 3 (enum lean_fd) and no other.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lean.h"

/*
 * Where the new root is built: a folder that every host has and that no source lies in. In our own mount namespace
 * nobody else sees it covered.
 */
#define NEW_ROOT "/proc"

#define MAX_LIST 256
#define MAX_JOINS 8
#define PATH_SIZE 512
#define EMPTY_FOLDER "/var/empty"
#define STACK_LIMIT (8UL << 20)
#define LAST_CAPABILITY 63

struct pair {
	char *first;	/* up to the colon */
	char *second;	/* after it */
};

struct list {
	struct pair at[MAX_LIST];
	int count;
};

struct spec {
	struct list binds, links, files;
	char *environment[MAX_LIST];
	int environment_count;
	int joins[MAX_JOINS];
	int join_count;
	struct sock_filter filter[BPF_MAXINSNS];
	struct sock_fprog program;
	unsigned long scratch_mb, scratch_inodes, uid, gid, nofile, oom_score;
	const char *hostname, *cwd;
	char **command;
};

/* -- Saying what happened -------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vdprintf(LEAN_FD_STATUS, format, args);
	va_end(args);
}

/* The end of launcher or runtime: names the step. One write, so that lines of the two do not mix. */
__attribute__((noreturn, format(printf, 2, 3))) static void fail(int errnum, const char *format, ...)
{
	char step[PATH_SIZE + 64];
	va_list args;

	va_start(args, format);
	vsnprintf(step, sizeof(step), format, args);
	va_end(args);
	say("failed %s: %s\n", step, errnum ? strerrordesc_np(errnum) : "invalid");
	_exit(127);
}

/* -- Options --------------------------------------------------------------------------------------------------------- */

static unsigned long number(const char *option, const char *text)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end)
		fail(errno, "option %s", option);
	return value;
}

static void add_pair(struct list *list, const char *option, char *text)
{
	char *colon = strchr(text, ':');

	if (!colon || list->count == MAX_LIST)
		fail(colon ? E2BIG : 0, "option %s", option);
	*colon = '\0';
	list->at[list->count++] = (struct pair){ text, colon + 1 };
}

/* Opened here, where the host's paths still exist; used after they are gone. */
static void add_join(struct spec *spec, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || spec->join_count == MAX_JOINS)
		fail(fd < 0 ? errno : E2BIG, "open %s", path);
	spec->joins[spec->join_count++] = fd;
}

static void read_filter(struct spec *spec, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		fail(errno, "open filter");
	length = read(fd, spec->filter, sizeof(spec->filter));
	close(fd);
	if (length <= 0 || length % (ssize_t)sizeof(spec->filter[0]))
		fail(length < 0 ? errno : 0, "read filter");
	spec->program.len = (unsigned short)((size_t)length / sizeof(spec->filter[0]));
	spec->program.filter = spec->filter;
}

static void add_environment(struct spec *spec, char *variable)
{
	if (!strchr(variable, '=') || spec->environment_count == MAX_LIST - 1)
		fail(0, "option --env");
	spec->environment[spec->environment_count++] = variable;
}

enum option_code {
	OPTION_RO_BIND = 256,
	OPTION_LINK,
	OPTION_FILE,
	OPTION_SCRATCH_MB,
	OPTION_SCRATCH_INODES,
	OPTION_JOIN,
	OPTION_FILTER,
	OPTION_UID,
	OPTION_GID,
	OPTION_HOSTNAME,
	OPTION_NOFILE,
	OPTION_OOM_SCORE,
	OPTION_CWD,
	OPTION_ENV,
};

static const struct option options[] = {
	{ "ro-bind", required_argument, NULL, OPTION_RO_BIND },
	{ "link", required_argument, NULL, OPTION_LINK },
	{ "file", required_argument, NULL, OPTION_FILE },
	{ "scratch-mb", required_argument, NULL, OPTION_SCRATCH_MB },
	{ "scratch-inodes", required_argument, NULL, OPTION_SCRATCH_INODES },
	{ "join", required_argument, NULL, OPTION_JOIN },
	{ "filter", required_argument, NULL, OPTION_FILTER },
	{ "uid", required_argument, NULL, OPTION_UID },
	{ "gid", required_argument, NULL, OPTION_GID },
	{ "hostname", required_argument, NULL, OPTION_HOSTNAME },
	{ "nofile", required_argument, NULL, OPTION_NOFILE },
	{ "oom-score", required_argument, NULL, OPTION_OOM_SCORE },
	{ "cwd", required_argument, NULL, OPTION_CWD },
	{ "env", required_argument, NULL, OPTION_ENV },
	{ NULL, 0, NULL, 0 },
};

static void take_option(struct spec *spec, int code, const char *name)
{
	switch (code) {
	case OPTION_RO_BIND:
		return add_pair(&spec->binds, name, optarg);
	case OPTION_LINK:
		return add_pair(&spec->links, name, optarg);
	case OPTION_FILE:
		return add_pair(&spec->files, name, optarg);
	case OPTION_JOIN:
		return add_join(spec, optarg);
	case OPTION_FILTER:
		return read_filter(spec, optarg);
	case OPTION_ENV:
		return add_environment(spec, optarg);
	case OPTION_SCRATCH_MB:
		spec->scratch_mb = number(name, optarg);
		return;
	case OPTION_SCRATCH_INODES:
		spec->scratch_inodes = number(name, optarg);
		return;
	case OPTION_UID:
		spec->uid = number(name, optarg);
		return;
	case OPTION_GID:
		spec->gid = number(name, optarg);
		return;
	case OPTION_NOFILE:
		spec->nofile = number(name, optarg);
		return;
	case OPTION_OOM_SCORE:
		spec->oom_score = number(name, optarg);
		return;
	case OPTION_HOSTNAME:
		spec->hostname = optarg;
		return;
	case OPTION_CWD:
		spec->cwd = optarg;
		return;
	default:
		fail(0, "option %s", optarg ? optarg : "unknown");
	}
}

static void parse(int argc, char **argv, struct spec *spec)
{
	int code, index = 0;

	opterr = 0;
	while ((code = getopt_long(argc, argv, "", options, &index)) != -1)
		take_option(spec, code, code < 256 ? "unknown" : options[index].name);
	spec->command = argv + optind;
	if (optind == argc || !spec->uid || !spec->gid || !spec->scratch_mb || !spec->scratch_inodes || !spec->nofile ||
	    !spec->hostname || !spec->cwd || !spec->program.len)
		fail(0, "options: one is missing");
}

/* -- The launcher itself --------------------------------------------------------------------------------------------- */

/* lean_start() had all signals blocked, and the host's process ignores some: both are inherited. */
static void reset_signals(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &plain, NULL); /* fails for SIGKILL, SIGSTOP and libc's own, which are as they should be */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * From here on the host's death is ours. Had it died before, nobody would read the status pipe any more. (getppid() says
 * nothing here: the parent is outside of the namespace.)
 */
static void die_with_host(void)
{
	struct pollfd status = { .fd = LEAN_FD_STATUS };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		fail(errno, "parent death signal");
	if (poll(&status, 1, 0) < 0 || (status.revents & POLLERR))
		_exit(127);
}

/* The kernel prefers whoever has a high score when memory runs out. The runtime inherits it. */
static void raise_oom_score(unsigned long score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%lu", score) < 0)
		fail(errno, "oom score");
	close(fd);
}

/* A closed connection would keep its port from the next action for a minute. */
static void forget_closed_connections(void)
{
	int fd = open("/proc/sys/net/ipv4/tcp_max_tw_buckets", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		fail(errno, "forget closed connections");
	close(fd);
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail(errno, "loopback socket");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		fail(errno, "loopback up");
	close(fd);
}

/* -- Its file system ------------------------------------------------------------------------------------------------- */

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
static void enter_root(void)
{
	if (chdir(NEW_ROOT) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		fail(errno, "enter the new root");
}

/* -- Fewer privileges ------------------------------------------------------------------------------------------------ */

/* Nothing that is executed from now on can gain what is not there. The last number differs by kernel: EINVAL ends it. */
static void drop_bounding_set(void)
{
	for (int i = 0; i <= LAST_CAPABILITY; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0)) {
			if (errno == EINVAL && i > CAP_SETFCAP)
				break;
			fail(errno, "capability bounding set");
		}
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
					     SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
					     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED))
		fail(errno, "securebits");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail(errno, "no new privileges");
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) || syscall(SYS_capset, &header, none))
		fail(errno, "capabilities");
}

/* -- The runtime ----------------------------------------------------------------------------------------------------- */

/* Not above what we have: raising a hard limit takes a capability that the host need not have. */
static void limit(__rlimit_resource_t resource, const char *name, rlim_t soft, rlim_t hard)
{
	struct rlimit have, want = { soft, hard };

	if (getrlimit(resource, &have))
		fail(errno, "limit %s", name);
	if (want.rlim_max > have.rlim_max)
		want.rlim_max = have.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	if (setrlimit(resource, &want))
		fail(errno, "limit %s", name);
}

/* The number of processes is the cgroup's to limit. */
static void set_limits(const struct spec *spec)
{
	limit(RLIMIT_NOFILE, "nofile", spec->nofile, spec->nofile);
	limit(RLIMIT_STACK, "stack", STACK_LIMIT, RLIM_INFINITY);
	limit(RLIMIT_CORE, "core", 0, 0);
	limit(RLIMIT_MEMLOCK, "memlock", 0, 0);
	limit(RLIMIT_MSGQUEUE, "msgqueue", 0, 0);
}

/* The kernel never shrinks a descriptor table: grown to its limit, its size says nothing of who used the container before. */
static void grow_descriptor_table(void)
{
	struct rlimit most;
	int last;

	if (getrlimit(RLIMIT_NOFILE, &most))
		fail(errno, "descriptor limit");
	last = fcntl(LEAN_FD_NULL, F_DUPFD_CLOEXEC, (int)most.rlim_cur - 1);
	if (last < 0)
		fail(errno, "descriptor table");
	close(last);
}

static void join_cgroups(const struct spec *spec)
{
	for (int i = 0; i < spec->join_count; i++)
		if (write(spec->joins[i], "0", 1) != 1)
			fail(errno, "join a cgroup");
	/* Its own cgroups are the root as far as it can see. */
	if (unshare(CLONE_NEWCGROUP))
		fail(errno, "cgroup namespace");
}

/* For whoever opens /dev/stdout. The pipes stay ours: their owner could leave modes and times to the next action. */
static void let_pipes_be_opened(void)
{
	if (fchmod(LEAN_FD_STDOUT, S_IWUSR | S_IWGRP | S_IWOTH) || fchmod(LEAN_FD_STDERR, S_IWUSR | S_IWGRP | S_IWOTH))
		fail(errno, "mode of the output pipes");
}

static void become_user(const struct spec *spec)
{
	gid_t gid = (gid_t)spec->gid;
	uid_t uid = (uid_t)spec->uid;

	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		fail(errno, "become user %u", uid);
}

__attribute__((noreturn)) static void run(struct spec *spec)
{
	join_cgroups(spec);
	set_limits(spec);
	grow_descriptor_table();
	let_pipes_be_opened();
	if (setsid() < 0)
		fail(errno, "session");
	/* Huge pages would make a single written byte cost two megabytes of rewinding. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		fail(errno, "huge pages");
	drop_bounding_set();
	become_user(spec);
	drop_capabilities();
	/* After the change of user, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		fail(errno, "parent death signal");
	umask(022);
	if (chdir(spec->cwd))
		fail(errno, "enter %s", spec->cwd);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &spec->program))
		fail(errno, "filter system calls");
	execve(spec->command[0], spec->command, spec->environment);
	fail(errno, "execute %s", spec->command[0]);
}

/* Returns its id once it has been executed; a failure before that has said so itself. */
static pid_t start_runtime(struct spec *spec)
{
	int executed[2];
	pid_t runtime;
	ssize_t got;
	char byte;

	if (pipe2(executed, O_CLOEXEC))
		fail(errno, "pipe");
	runtime = fork();
	if (runtime < 0)
		fail(errno, "fork");
	if (runtime == 0)
		run(spec);
	close(executed[1]);
	/* End of file when execve() or the process's end closes the last writer. */
	do
		got = read(executed[0], &byte, 1);
	while (got < 0 && errno == EINTR);
	close(executed[0]);
	return runtime;
}

/* -- Pid 1 ----------------------------------------------------------------------------------------------------------- */

/* Nothing is left to us but to wait. We stay root by id, so that no action can signal us; of its power nothing is left. */
static void give_up_everything(const struct spec *spec)
{
	for (int i = 0; i <= LEAN_FD_CHANNEL; i++)
		close(i);
	for (int i = 0; i < spec->join_count; i++)
		close(spec->joins[i]);
	drop_bounding_set();
	drop_capabilities();
	if (prctl(PR_SET_DUMPABLE, 0))
		fail(errno, "not dumpable");
}

static int await_end(pid_t runtime)
{
	int status;
	pid_t ended;

	do
		ended = waitpid(-1, &status, 0);
	while (ended != runtime && (ended > 0 || errno == EINTR));
	if (ended < 0)
		fail(errno, "wait");
	return status;
}

int main(int argc, char **argv)
{
	static struct spec spec;
	pid_t runtime;
	int status;

	if (getpid() != 1) {
		fputs("lean is started by rewhisk, as pid 1 of a new pid namespace\n", stderr);
		return 2;
	}
	/*
	 * The status pipe was duplicated without the flag; anything beyond it is an accident of the host's. The scratch
	 * space's number is kept free for it.
	 */
	if (fcntl(LEAN_FD_STATUS, F_SETFD, FD_CLOEXEC) || close_range(LEAN_FD_STATUS + 1, ~0U, 0) ||
	    fcntl(LEAN_FD_NULL, F_DUPFD_CLOEXEC, LEAN_FD_SCRATCH) != LEAN_FD_SCRATCH)
		fail(errno, "descriptors");
	reset_signals();
	die_with_host();
	umask(0022);
	parse(argc, argv, &spec);
	raise_oom_score(spec.oom_score);
	if (sethostname(spec.hostname, strlen(spec.hostname)) || setdomainname("", 0))
		fail(errno, "hostname");
	forget_closed_connections();
	bring_loopback_up();
	build_root(&spec);
	show_devices();
	mount_scratch(&spec);
	mount_proc();
	enter_root();
	runtime = start_runtime(&spec);
	give_up_everything(&spec);
	say("started\n");
	status = await_end(runtime);
	if (WIFSIGNALED(status))
		say("signal %d\n", WTERMSIG(status));
	else
		say("exit %d\n", WEXITSTATUS(status));
	return 0;
}
