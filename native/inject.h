/* What the process is made to do itself: the table of calls and copies, and how it comes into the process. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RW_INJECT_H
#define RW_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "image.h"
#include "rewind.h"

#define MAX_THREADS 256

/* -- The table ------------------------------------------------------------------------------------------------------ */

enum {
	OP_END = -1,
	OP_COPY = -2,			/* to, from, length */
	OP_ZERO = -3,			/* to, length */
	OP_MAY_FAIL = 1,		/* flag: an error is no error */
	OP_CAPTURE = 2,			/* flag: keep the result for whoever runs the table */
	OP_CAPTURE_ASIDE = 4,		/* flag: keep it beside that: the leader's in p->signalled, of another thread its id */
};

/* One line of the table that the injected code works through; parasite.S knows the layout. */
struct op {
	int64_t nr;
	uint64_t arg[6];
	uint64_t flags;
};

/* Where the data lie that the calls point to, in the constants of the table; one thread's in its own table. */
enum {
	AT_ACTIONS = 0,
	AT_ZERO = SIGNALS * 32,		/* 32 bytes of zeroes: an itimerval, a timespec */
	AT_ALL_SIGNALS = AT_ZERO + 32,
	AT_UNLOCK = AT_ALL_SIGNALS + 8,
	AT_CWD = AT_UNLOCK + 32,
	AT_THREADS = AT_CWD + CWD_SIZE,	/* struct thread_inside of each */
};

#define TABLE_CONSTANTS 32768ULL	/* first bytes of the table's file: data the calls point to */
#define TABLE_PASSING 24576ULL		/* from here on only until the end of the batch */
#define TABLE_OPS 65536ULL
#define TABLE_THREADS (TABLE_CONSTANTS + TABLE_OPS * sizeof(struct op)) /* a short table for each thread but the leader */
#define THREAD_OPS 8ULL
#define TABLE_SIZE (TABLE_THREADS + MAX_THREADS * THREAD_OPS * sizeof(struct op))

/* -- inject.c: system calls made, and pages copied, by the process itself -------------------------------------------- */

extern const uint8_t rw_parasite_start[], rw_parasite_done[], rw_parasite_end[];

/* One call by single-stepping over a system call instruction that lies at `at`: before the code is mapped. */
int rw_inject_step(pid_t tid, const struct user_regs_struct *base, uint64_t at, long nr, const uint64_t arg[6],
		   uint64_t *result, struct rw_error *error);
/* Appends one call; flushes the table when it is full. */
int rw_op(struct rw_process *p, struct rw_error *error, int64_t nr, uint64_t flags, uint64_t a, uint64_t b, uint64_t c,
	  uint64_t d, uint64_t e, uint64_t f);
/* Runs what the table holds on the leader. *captured: result of the last OP_CAPTURE. */
int rw_run_ops(struct rw_process *p, int64_t *captured, struct rw_error *error);
/* The same in two halves, for what can be done meanwhile. */
int rw_start_ops(struct rw_process *p, struct rw_error *error);
int rw_finish_ops(struct rw_process *p, int64_t *captured, struct rw_error *error);
/* Makes a thread run one call from which it does not return (exit). */
int rw_inject_exit(struct rw_process *p, pid_t tid, struct rw_error *error);
int rw_constants_put(struct rw_process *p, uint64_t offset, const void *data, uint64_t length, uint64_t *address);
/*
 * The entries of each thread but the leader, at rw_thread_ops(), are run by all these threads at once, while the caller does
 * something else. Whoever awaits the leader awaits them first.
 */
struct op *rw_thread_ops(const struct rw_process *p, uint32_t thread);
int rw_start_thread_ops(struct rw_process *p, struct rw_error *error);
int rw_finish_thread_ops(struct rw_process *p, struct rw_error *error);
/* Step: nothing that the process can read tells what was put back. */
int rw_clear_table(struct rw_process *p, struct rw_error *error);

/* -- bootstrap.c: our code, our table and the image come into the process -------------------------------------------------- */

/* What the injection needs while the code is not yet mapped. */
struct bootstrap {
	struct user_regs_struct base;	/* the leader's registers, not normalised */
	uint64_t syscall_at;
	uint64_t scratch;		/* a page of the process, ours for the time being */
};

/* Where to begin. The process stays as it is. */
int rw_bootstrap_find(struct rw_process *p, struct bootstrap *boot, struct rw_error *error);
/* A page of the process, until rw_bootstrap_image() gives it back. */
int rw_bootstrap_scratch(struct rw_process *p, struct bootstrap *boot, struct rw_error *error);
/* Where the image says that they are, or anywhere. Borrows a page where there is none yet. */
int rw_bootstrap_code(struct rw_process *p, struct bootstrap *boot, struct rw_error *error);
/* A memory file: mapped writable here, after which nobody may write it but through mappings that exist: ours. */
int rw_seal(int fd, uint64_t size, uint8_t **here, struct rw_error *error);
/* Of p->image->size, and last of all. *file: our writable view, to be unmapped by the caller; MAP_FAILED: there is none. */
int rw_bootstrap_image(struct rw_process *p, struct bootstrap *boot, uint8_t **file, struct rw_error *error);

#endif
