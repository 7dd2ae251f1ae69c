/* What the launcher's files share: what it was told to build, how it says what happened, and its steps. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <sys/types.h>

#define MAX_LIST 256
#define MAX_JOINS 8
#define PATH_SIZE 512

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
	const char *hostname, *cwd, *network;
	bool waits, is_embryo;
	char **command;
};

/* Writes to the status pipe. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The end of launcher or runtime: names the step. `errnum` 0: what was given is invalid. */
__attribute__((noreturn, format(printf, 2, 3))) void fail(int errnum, const char *format, ...);

/* launcher_options.c: opens what is to be joined, reads the filter; afterwards the host's paths are needed for mounts alone. */
void parse_options(int argc, char **argv, struct spec *spec);

/* launcher_root.c: builds the container's file system and leaves the host's for good. Opens LEAN_FD_SCRATCH. */
void enter_new_root(const struct spec *spec);

/* launcher_runtime.c: returns its id once it has been executed; a failure before that has said so itself. */
pid_t start_runtime(struct spec *spec);
/* launcher_runtime.c: the same once the host says so, or it has put one here itself. */
pid_t await_runtime(struct spec *spec);

/* launcher_runtime.c: for this process and all it will execute. */
void drop_bounding_set(void);
void drop_capabilities(void);

#endif
