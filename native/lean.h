/* Lean containers, the host's side: start one, look at its pipes, empty its scratch space, show code. The launcher is launcher.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAN_H
#define LEAN_H

#include <linux/securebits.h>
#include <stdint.h>

#include "rewind.h"

/* What the launcher finds open, and all it finds open. The runtime gets the first four. */
enum lean_fd {
	LEAN_FD_NULL = 0,
	LEAN_FD_STDOUT = 1,
	LEAN_FD_STDERR = 2,
	LEAN_FD_CHANNEL = 3,
	LEAN_FD_STATUS = 4,	/* the launcher's alone: lines for the host, see launcher.c */
	LEAN_FD_SCRATCH = 5,	/* made by the launcher: the scratch tmpfs's root, which no path in the container reaches */
};

/* Nothing that a runtime executes gains what it has not. */
#define LEAN_SECUREBITS                                                                                                        \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |                      \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* A started launcher: pid 1 of the new container. The descriptors are the host's ends, non-blocking, close-on-exec. */
struct lean_started {
	int32_t init_pid;	/* stays valid, dead or alive, until lean_reap() has reported its end */
	int32_t channel, out, err, status;
};

/* The folders in the scratch space's root, which the container sees as /tmp, /home/action and /dev/shm. */
#define LEAN_SCRATCH_FOLDERS 3
#define LEAN_SCRATCH_NAMES { "tmp", "home", "shm" }
#define LEAN_SCRATCH_HOME 1
/* In the home folder: where code is unpacked to, or shown. */
#define LEAN_CODE_NAME "code"
#define LEAN_SCRATCH_MODE 01777
#define LEAN_SCRATCH_DEPTH 64

/*
 * lean_start
 * Does:   makes a socket pair and three pipes, and starts `launcher` with them in new pid, mount, ipc and uts namespaces.
 * Needs:  CAP_SYS_ADMIN; `arguments`: argv[1..] as strings one after the other, each with its NUL, `arguments_length`
 *         bytes in all; with `in_our_pids` (for --embryo) there is no new pid namespace.
 * Gives:  *started. The launcher speaks on the status pipe from now on; that it was started does not mean that the
 *         container could be set up.
 * Fails:  RW_SYSTEM; nothing is left behind.
 * Thread: any, one after the other. The launchers are started by one of its own, which lives as long as this process, and the
 *         containers with it. All descriptors are close-on-exec from birth.
 */
RW_API int lean_start(const char *launcher, const char *arguments, uint64_t arguments_length, uint32_t in_our_pids,
		      struct lean_started *started, struct rw_error *error);

/*
 * lean_open
 * Gives:  *pidfd, close-on-exec: the launcher, whoever has its number later.
 * Needs:  an `init_pid` that lean_start() gave and lean_reap() has not reported as ended; and that nobody calls that meanwhile.
 * Fails:  RW_PROCESS_GONE where there is no such process, RW_SYSTEM.
 * Thread: any.
 */
RW_API int lean_open(int32_t init_pid, int32_t *pidfd, struct rw_error *error);

/*
 * lean_reap
 * Does:   collects a launcher that has ended, without waiting. When it has ended, so has every process of its container.
 * Gives:  *status as waitpid() has it; *ended 0 while it lives, and 1 once: its pid then belongs to nobody.
 * Fails:  RW_SYSTEM where it is no child of ours.
 * Thread: any.
 */
RW_API int lean_reap(int32_t init_pid, uint32_t *ended, int32_t *status, struct rw_error *error);

/*
 * lean_pending
 * Gives:  bytes that can be read from `fd`, and bytes sent through it which the other side has not read (0 where the
 *         kernel cannot say, as for the reading end of a pipe).
 * Fails:  RW_SYSTEM.
 * Thread: any.
 */
RW_API int lean_pending(int32_t fd, uint64_t *unread, uint64_t *unsent, struct rw_error *error);

/*
 * lean_empty_scratch
 * Does:   removes at most `at_most` files and folders below the scratch folders; where nothing is left, puts back their times. If
 *         the free space says that there is nothing, only the latter.
 * Needs:  `scratch_fd`: the scratch space's root, open for reading (/proc/INIT_PID/fd/LEAN_FD_SCRATCH); no process in
 *         the container that could still write, and no descriptor or mapping of a removed file left in one (its space
 *         would not come back). `has_code`: code is shown (lean_show_code()); its place in the home folder stays.
 * Gives:  *removed: how many were; *empty: by the kernel's count of space nothing is left. Not empty and nothing removed: the
 *         kernel gives some back late, for instance of a file that lay in a closed socket's queue; or never.
 * Fails:  RW_SYSTEM where something cannot be removed, or a folder's owner or mode is not as the launcher made it: the
 *         container must be replaced. Folders more than LEAN_SCRATCH_DEPTH deep are refused.
 * Thread: any.
 */
RW_API int lean_empty_scratch(int32_t scratch_fd, uint32_t has_code, uint32_t at_most, uint32_t *removed, uint32_t *empty,
			      struct rw_error *error);

/*
 * lean_show_code
 * Does:   mounts the folder `source` of the host in a container, on the folder `target` as the container names it: read-only, without
 *         devices and set-user-id programs, connected to no other mount. The host's own mounts stay as they are.
 * Needs:  CAP_SYS_ADMIN; nobody in the container who could put a link in the place of a folder above `target`.
 * Fails:  RW_SYSTEM; nothing is mounted then.
 * Thread: any; another one of its own enters the container for a moment.
 */
RW_API int lean_show_code(int32_t init_pid, const char *source, const char *target, struct rw_error *error);

/*
 * lean_hide_code
 * Does:   undoes lean_show_code(), unless something still uses what is mounted: a descriptor, a working folder, a mapping, in a process or
 *         under way between two. Then all stays as it is: nothing is ever detached that could still be reached.
 * Gives:  *busy 1 where something uses it.
 * Fails:  RW_SYSTEM.
 * Thread: as lean_show_code().
 */
RW_API int lean_hide_code(int32_t init_pid, const char *target, uint32_t *busy, struct rw_error *error);

/*
 * lean_keep_code
 * Does:   copies the folder `name` of a scratch space to the new folder `into` of the host. It becomes the caller's; files and folders keep
 *         their times and modes, but for what their owner may, which all may.
 * Needs:  nobody who writes there meanwhile; LEAN_SCRATCH_DEPTH as in lean_empty_scratch().
 * Gives:  *bytes: what it takes on disk, in blocks of 4096 and one for each file, folder and link.
 * Fails:  RW_SYSTEM; EFBIG where that would be more than `at_most`, EINVAL over what is neither file, folder nor link. Part of it may be
 *         there then, which is the caller's to remove. The scratch space is as it was.
 * Thread: any.
 */
RW_API int lean_keep_code(int32_t scratch_fd, const char *name, const char *into, uint64_t at_most, uint64_t *bytes,
			  struct rw_error *error);

/*
 * lean_remove
 * Does:   removes what is at `path` with all below it, each by its name in an open folder: names may be longer together than a path may be.
 * Needs:  nobody who writes there meanwhile.
 * Fails:  RW_SYSTEM; some of it is left then. Folders more than LEAN_SCRATCH_DEPTH deep are refused.
 * Thread: any.
 */
RW_API int lean_remove(const char *path, struct rw_error *error);

/*
 * lean_make_network
 * Does:   makes a network namespace with the loopback interface alone, which keeps nothing of closed connections.
 * Needs:  CAP_SYS_ADMIN; /proc/sys/net writable.
 * Gives:  *namespace, close-on-exec: it lasts as long as that is open, or something is in it.
 * Fails:  RW_SYSTEM; nothing is left behind.
 * Thread: any; it is in the new namespace for a moment, under a lock of the kernel's that all namespaces share.
 */
RW_API int lean_make_network(int32_t *namespace, struct rw_error *error);

/*
 * lean_describe_network
 * Does:   writes down all that the kernel tells of a network namespace that is the namespace's own: interfaces, addresses, routes,
 *         neighbours, counters, numbers of sockets and tracked connections, and the settings that lean_make_network() has made.
 * Needs:  CAP_SYS_ADMIN; room for `size` bytes.
 * Gives:  text without an end, *length bytes: sections that begin with a line "== NAME". Two texts are the same where nobody has sent,
 *         received, left or changed anything between, but for the numbers that "sockstat" has of the whole machine (orphan, alloc, mem).
 * Fails:  RW_SYSTEM; ENOSPC where the room does not suffice.
 * Thread: any; it is in the other namespace for some two milliseconds.
 */
RW_API int lean_describe_network(int32_t namespace, char *bytes, uint64_t size, uint64_t *length, struct rw_error *error);

/*
 * lean_open_network
 * Does:   opens two sockets in a network namespace (/proc/PID/ns/net), for the two calls below. There they count as well.
 * Needs:  CAP_SYS_ADMIN and CAP_NET_ADMIN; kernel modules inet_diag and nf_conntrack_netlink, which are loaded on demand.
 * Gives:  *sockets and *flows, close-on-exec.
 * Fails:  RW_SYSTEM.
 * Thread: any; it is in the other namespace for a moment.
 */
RW_API int lean_open_network(int32_t namespace, int32_t *sockets, int32_t *flows, struct rw_error *error);

/*
 * lean_end_connections
 * Does:   resets all TCP connections of the namespace, also those that are only left to be closed and that no descriptor leads
 *         to; what they have not sent is dropped. A few hundred in one call. A kernel without
 *         CONFIG_INET_DIAG_DESTROY leaves them to end by themselves.
 * Fails:  RW_SYSTEM.
 * Thread: one at a time.
 */
RW_API int lean_end_connections(int32_t sockets, struct rw_error *error);

/*
 * lean_forget_flows
 * Does:   empties the namespace's connection tracking: no packet belongs to a connection of before. Microseconds where it is empty;
 *         else the kernel looks through the table that all namespaces share.
 * Fails:  RW_SYSTEM.
 * Thread: one at a time.
 */
RW_API int lean_forget_flows(int32_t flows, struct rw_error *error);

/* lean_syscall_number: the number of a system call by its name on this architecture, or -ENOSYS. */
RW_API int lean_syscall_number(const char *name);

#endif
