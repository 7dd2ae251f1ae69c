/* What the files of the native library share: the image's tables, a process bound to its image, and the phases. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RW_INTERNAL_H
#define RW_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/user.h>

#include "kernel_abi.h"
#include "rewind.h"

#define PAGE 4096ULL
#define MAX_XSTATE 16384
#define SIGNALS 64
#define cleanup_(f) __attribute__((cleanup(f)))

/* -- error.c ------------------------------------------------------------------------------------------------------ */

/* Fills *error (untouched = 1: whoever has touched says so) and returns -errnum, or -EIO where errnum is 0. */
int rw_fail(struct rw_error *error, enum rw_reason reason, int errnum, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
double rw_now_us(void);
void rw_close(int *fd);
void rw_free(void *pointer_to_pointer);
/* Grows *array so that it holds `need` elements of `size` bytes. 0 or -ENOMEM. */
int rw_reserve(void *array, uint64_t *capacity, uint64_t need, size_t size);

/*
 * Fault injection, in the test build only (-DRW_FAULTS): the n-th step after rw_fail_step(n) fails once. Every
 * such failure must end in "untouched" or in a killed process.
 */
#ifdef RW_FAULTS
bool rw_step_fails(void);
#define RW_STEP(error, name)                                                                                    \
	do {                                                                                                    \
		if (rw_step_fails())                                                                            \
			return rw_fail(error, RW_SYSTEM, EIO, "injected fault at %s", name);                    \
	} while (0)
#else
#define RW_STEP(error, name) ((void)0)
#endif

/* -- The image: everything a rewind puts back, with no reference to the process it was taken from ------------------ */

enum region_kind {
	REGION_ANONYMOUS,	/* private, no file: pages not saved are zero */
	REGION_FILE,		/* private file mapping: pages not saved are the file's */
	REGION_READONLY,	/* shared, of a file, and writable to nobody who maps it: its content cannot change */
	REGION_SHARED,		/* any other shared one: neither saved nor put back, only its presence is compared */
	REGION_SPECIAL,		/* vdso, vvar, vsyscall: the kernel's; compared by address */
	REGION_INJECTED,	/* our code, table and image window */
};

/* VmFlags of smaps that a mapping made anew must have again. */
enum region_flag {
	FLAG_NORESERVE = 1,
	FLAG_GROWSDOWN = 2,
	FLAG_DONTFORK = 4,
	FLAG_WIPEONFORK = 8,
	FLAG_DONTDUMP = 16,
	FLAG_LOCKED = 32,
};

struct region {
	uint64_t start, end, offset, inode;
	uint64_t image_offset;	/* of `start` in the memory file */
	uint64_t saved;		/* pages */
	uint32_t device;
	uint8_t prot;		/* PROT_* */
	uint8_t kind;		/* enum region_kind */
	uint8_t flags;		/* enum region_flag */
	bool shared;
	uint32_t name;		/* offset into the text of maps it was parsed from; 0: none */
	uint32_t name_length;
};

struct region_list {
	struct region *at;
	uint64_t count, capacity;
};

/* A run of saved pages. */
struct extent {
	uint64_t start, end, offset;
};

struct thread {
	pid_t tid;
	uint32_t xstate_length;
	struct user_regs_struct regs;	/* normalised: an interrupted system call is made again */
	uint64_t signal_mask;
	uint64_t rseq, robust_list;
	uint32_t rseq_size;
	uint8_t *xstate;
};

/* What is behind a descriptor, where that has a state of its own. */
enum object_kind {
	OBJECT_PLAIN,
	OBJECT_SOCKET,		/* options[], shut_down */
	OBJECT_PIPE,		/* the read end of one whose write end is the process's as well: content[] */
	OBJECT_COUNTER,		/* eventfd: counter */
	OBJECT_EPOLL,		/* info: its interest list */
	OBJECT_OTHER,		/* timerfd, signalfd, inotify and the like: info, which must not change */
};

#define SOCKET_OPTIONS 16
#define PIPE_CONTENT 64

struct descriptor {
	int fd;
	int cloexec, status;	/* F_GETFD, F_GETFL */
	int64_t position;	/* of a regular file, else -1 */
	bool locked;		/* by flock() or fcntl() */
	bool shut_down;
	enum object_kind kind;
	uint32_t write_end;	/* index of the pipe's other end */
	uint32_t content_length;
	uint8_t content[PIPE_CONTENT];
	uint64_t counter;
	int64_t options[SOCKET_OPTIONS][2];
	char *info;		/* text of fdinfo, from the first line that is the object's own */
};

/* The kernel's struct sigaction on x86-64. */
struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};

#define ITIMERS 3
#define CWD_SIZE 4096

/* What only the process itself can ask the kernel. */
struct inside {
	struct kernel_sigaction actions[SIGNALS];
	struct itimerval timers[ITIMERS];
	uint64_t alternate_stack[3];	/* stack_t of the leader */
	uint64_t tid_address;		/* the word that is cleared when the leader ends */
	uint64_t program_break;
	char name[16];
	char cwd[CWD_SIZE];		/* as the process sees it */
};

struct kernel_state {
	struct inside inside;
	uint32_t umask;
	char *status;			/* text of /proc/PID/status */
};

struct image {
	int fd;				/* sealed memory file */
	const uint8_t *pages;		/* our read-only window on it */
	uint64_t size;
	char *maps;			/* text of /proc/PID/maps at the checkpoint, our mappings included */
	uint64_t maps_length;
	struct region_list regions;
	struct extent *extents;
	uint64_t extent_count, extent_capacity;
	struct thread *threads;		/* the leader first */
	uint32_t thread_count;
	struct descriptor *descriptors;
	uint32_t descriptor_count;
	struct kernel_state kernel;
	uint64_t code, table, window;	/* where our three mappings lie in the process */
	uint64_t pages_saved;
};

/* -- A process bound to its image ---------------------------------------------------------------------------------- */

enum {
	OP_END = -1,
	OP_COPY = -2,			/* to, from, length */
	OP_ZERO = -3,			/* to, length */
	OP_MAY_FAIL = 1,		/* flag: an error is no error */
	OP_CAPTURE = 2,			/* flag: keep the result for batch.captured */
};

/* One line of the table that the injected code works through; parasite.S knows the layout. */
struct op {
	int64_t nr;
	uint64_t arg[6];
	uint64_t flags;
};

#define TABLE_CONSTANTS 32768ULL	/* first bytes of the table's file: data the calls point to */
#define TABLE_PASSING 16384ULL		/* from here on only until the end of the batch */
#define TABLE_OPS 65536ULL
#define TABLE_SIZE (TABLE_CONSTANTS + TABLE_OPS * sizeof(struct op))

/* A run of pages that may differ from the image. */
struct dirty {
	uint64_t start, end;
	bool written;			/* false: only its absence was seen */
};

struct rw_process {
	struct image *image;
	pid_t pid;
	enum rw_rung rung;
	int pidfd, mem, pagemap, maps, status, timers, userfault, clear_refs;
	int *held;			/* our duplicates of the image's descriptors */
	int *info;			/* their fdinfo files, -1 where they are not read again */
	uint8_t *table;			/* our writable view of the table's file */
	uint64_t op_count;
	char *text;			/* latest text of maps */
	uint64_t text_capacity, text_length;
	struct region_list now;
	struct dirty *dirty;
	uint64_t dirty_count, dirty_capacity;
	struct rw_page_region *scan;
	uint64_t *pagemap_buffer;
	uint64_t fresh_copied;		/* pages copied by the first rewind after the last re-arming */
	bool rearm;
	struct rw_timings took;
};

/* -- process.c ------------------------------------------------------------------------------------------------------ */

/* With no file open; to be freed by rw_release(). NULL where there is no memory. */
struct rw_process *rw_process_new(pid_t pid, enum rw_rung rung);
int rw_process_open(struct rw_process *p, struct rw_error *error);

/* -- freeze.c: all threads of a process stopped, or none ------------------------------------------------------------ */

struct frozen {
	pid_t pid;
	pid_t *tids;			/* the first `known` are the image's, in its order; then those born since */
	int *signals;			/* a signal taken on its way to delivery, handed back at the thaw; else 0 */
	uint32_t count, known, capacity;
	bool group_stopped;
	bool touched;			/* from here on a thaw is only right after a complete rewind */
};

/* Stops every thread of `pid`; known[] must all be among them. On failure nothing stays stopped. */
int rw_freeze(pid_t pid, const pid_t *known, uint32_t known_count, struct frozen *frozen, struct rw_error *error);
/* Lets them run. A process that was touched and not finished is killed instead. Idempotent; also the cleanup. */
void rw_thaw(struct frozen *frozen);
void rw_kill_frozen(struct frozen *frozen);

/* -- inject.c: system calls made, and pages copied, by the process itself -------------------------------------------- */

extern const uint8_t rw_parasite_start[], rw_parasite_end[];

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

/* -- maps.c, layout.c: mappings --------------------------------------------------------------------------------------------- */

int rw_read_text(int fd, char **text, uint64_t *capacity, uint64_t *length, struct rw_error *error);
int rw_parse_maps(const char *text, struct region_list *list, struct rw_error *error);
/* smaps flags of every region of `list`. */
int rw_read_flags(pid_t pid, struct region_list *list, struct rw_error *error);
const struct region *rw_region_at(const struct region_list *list, uint64_t address);
/* Names the first line in which the text last read differs from the image's. */
int rw_layout_difference(struct rw_process *p, enum rw_reason reason, struct rw_error *error);
/* Refuses a process in which our mappings are not in place: the code must not run there, least of all unfiltered. */
int rw_check_injected(struct rw_process *p, struct rw_error *error);
/* Makes the live layout equal to the image's. Appends what was made anew to p->dirty. */
int rw_put_back_layout(struct rw_process *p, struct rw_error *error);
/* Maps the process's read-only file mappings anew as shared ones, so that no page of them can ever be written. */
int rw_share_readonly(struct rw_process *p, struct rw_error *error);

/* -- pages.c: finding, saving, planning ------------------------------------------------------------------------------ */

/* Calls back for each run of private pages (present or swapped, not the file's own) of [start, end). */
struct page_run {
	uint64_t start, end;
};
int rw_private_runs(struct rw_process *p, uint64_t start, uint64_t end, struct page_run **runs, uint64_t *count,
		    uint64_t *capacity, struct rw_error *error);
int rw_read_memory(struct rw_process *p, uint64_t address, void *to, uint64_t length);
int rw_write_memory(struct rw_process *p, uint64_t address, const void *from, uint64_t length);
int rw_dirty_add(struct rw_process *p, uint64_t start, uint64_t end, bool written, struct rw_error *error);
/* From p->dirty to a batch of copies, zeroes and drops. */
int rw_plan_pages(struct rw_process *p, struct rw_error *error);

/* -- dirty.c: the rungs ------------------------------------------------------------------------------------------------ */

int rw_rung_attach(struct rw_process *p, const struct user_regs_struct *base, uint64_t syscall_at,
		   struct rw_error *error);
int rw_rung_register(struct rw_process *p, const struct region *region, struct rw_error *error);
int rw_rung_arm(struct rw_process *p, struct rw_error *error);
/* Fills p->dirty (it may hold entries already). */
int rw_rung_collect(struct rw_process *p, struct rw_error *error);
/* After the pages are back. */
int rw_rung_rearm(struct rw_process *p, struct rw_error *error);
bool rw_tracked(const struct region *region);

/* -- threads.c ---------------------------------------------------------------------------------------------------------- */

/* *waiting: it sat in a system call that is made again. */
int rw_thread_save(pid_t tid, struct thread *thread, bool *waiting, struct rw_error *error);
int rw_thread_put_back(const struct thread *thread, struct rw_error *error);
int rw_thread_compare(const struct thread *thread, struct rw_error *error);
int rw_block_signals(pid_t tid, struct rw_error *error);

/* -- descriptors.c ------------------------------------------------------------------------------------------------------- */

int rw_descriptors_save(struct rw_process *p, struct rw_error *error);
/* Lost or replaced ones: refused. */
int rw_descriptors_check(struct rw_process *p, struct rw_error *error);
/* Ops that close the surplus and set flags and positions. */
int rw_descriptors_plan(struct rw_process *p, struct rw_error *error);
/* Nothing surplus, flags and positions as saved. */
int rw_descriptors_compare(struct rw_process *p, struct rw_error *error);

/* -- objects.c: the state of what is behind the descriptors, seen and put back through our duplicates ---------------------- */

int rw_objects_save(struct rw_process *p, struct rw_error *error);
/* Ops that end the locks which belong to the process; the others end in rw_objects_put_back(). */
int rw_objects_plan(struct rw_process *p, struct rw_error *error);
/* From outside, at any time: locks, socket options, contents of pipes, counters. */
int rw_objects_put_back(struct rw_process *p, struct rw_error *error);
/* After the surplus descriptors have been closed: interest lists; and what must not have changed. */
int rw_objects_settle(struct rw_process *p, struct rw_error *error);
int rw_objects_compare(struct rw_process *p, struct rw_error *error);

/* -- fdinfo.c: of the descriptor with that index in the image ------------------------------------------------------------ */

int rw_info_save(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_info_put_back(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_info_compare(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error);

/* -- kernel_state.c ------------------------------------------------------------------------------------------------------- */

/* Once the code and the table are mapped. */
int rw_kernel_save(struct rw_process *p, struct rw_error *error);
int rw_kernel_plan(struct rw_process *p, struct rw_error *error);
/* Children reaped, pending signals drained, and what cannot be put back compared. */
int rw_kernel_settle(struct rw_process *p, int64_t first_wait, struct rw_error *error);
/* Lets the leader run injected code: its registers and its rseq area have to be put back. */
int rw_kernel_compare(struct rw_process *p, struct rw_error *error);

/* -- verify.c --------------------------------------------------------------------------------------------------------------- */

/*
 * Everything of a frozen process but rw_kernel_compare(). `rested`: no thread has run since all was put back, so that even
 * the rseq areas must be equal.
 */
int rw_compare_frozen(struct rw_process *p, const struct frozen *frozen, bool rested, struct rw_error *error);

/* -- image.c ------------------------------------------------------------------------------------------------------------------ */

void rw_image_free(struct image *image);

#endif
