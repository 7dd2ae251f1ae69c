/* The image: everything a rewind puts back, with no reference to the process it was taken from. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RW_IMAGE_H
#define RW_IMAGE_H

#include <linux/prctl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/user.h>

#define SIGNALS 64

enum region_kind {
	REGION_ANONYMOUS,	/* private, no file: pages not saved are zero */
	REGION_FILE,		/* private file mapping: pages not saved are the file's */
	REGION_READONLY,	/* shared, of a file, and writable to nobody who maps it: its content cannot change */
	REGION_SHARED,		/* any other shared one: neither saved nor put back, only its presence is compared */
	REGION_DROPPABLE,	/* anonymous, and the kernel may empty it at any time: made anew by every rewind */
	REGION_SPECIAL,		/* vdso, vvar, vsyscall: the kernel's; compared by address */
	REGION_INJECTED,	/* our code, table and image window */
};

/* VmFlags of smaps that decide how a mapping is made anew. */
enum region_flag {
	FLAG_NORESERVE = 1,
	FLAG_GROWSDOWN = 2,
	FLAG_DONTFORK = 4,
	FLAG_WIPEONFORK = 8,
	FLAG_DONTDUMP = 16,
	FLAG_LOCKED = 32,
	FLAG_DROPPABLE = 64,
	FLAG_ACCOUNTED = 128,
	FLAG_NOHUGEPAGE = 256,
	FLAG_HUGEPAGE = 512,
	FLAG_RANDOM = 1024,
	FLAG_SEQUENTIAL = 2048,
	FLAG_MERGEABLE = 4096,
	FLAG_WATCHED = 8192,
};

struct region {
	uint64_t start, end, offset, inode;
	uint64_t image_offset;	/* of `start` in the memory file */
	uint64_t saved;		/* pages */
	uint32_t device;
	uint8_t prot;		/* PROT_* */
	uint8_t kind;		/* enum region_kind */
	bool shared;
	uint16_t flags;		/* enum region_flag */
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
	bool below;		/* in the file of the image below a level, whose bytes they are as well */
};

struct page_run {
	uint64_t start, end;
};

/* What only a thread itself can ask for. */
struct thread_inside {
	uint64_t alternate_stack[3];	/* stack_t */
	uint64_t tid_address;		/* the word that is cleared when it ends */
	uint64_t pending;		/* signals */
	char name[16];
};

struct thread {
	pid_t tid;
	pid_t inner;		/* as it knows itself, in its own pid namespace */
	uint32_t xstate_length;
	struct user_regs_struct regs;	/* normalised: an interrupted system call is made again */
	uint64_t signal_mask;
	uint64_t rseq, robust_list;
	uint32_t rseq_size, rseq_signature;
	uint8_t *xstate;
	struct thread_inside inside;
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

#define SOCKET_OPTIONS 17
#define SOCKET_NAME_SIZE 110	/* struct sockaddr_un */
#define PIPE_CONTENT 64

/* Of a pipe or a socket, what everybody can see who has it; mode 0 of anything else. */
struct attributes {
	mode_t mode;
	uid_t owner;
	gid_t group;
	struct timespec times[2];	/* of access, of modification */
	int unread;			/* bytes that a socket has received */
	uint32_t name_length;
	uint8_t name[SOCKET_NAME_SIZE];
};

struct descriptor {
	int fd;
	int cloexec, status;	/* F_GETFD, F_GETFL */
	int64_t position;	/* of a regular file or a folder, else -1 */
	bool locked;		/* by flock() or fcntl() */
	bool shut_down;
	enum object_kind kind;
	uint32_t write_end;	/* index of the pipe's other end */
	uint32_t content_length;
	uint8_t content[PIPE_CONTENT];
	uint64_t counter;
	int64_t options[SOCKET_OPTIONS][2];
	struct attributes attributes;
	char *info;		/* text of fdinfo, from the first line that is the object's own */
	mode_t type;		/* S_IFMT */
	dev_t device;		/* of a device */
	uint32_t same_as;	/* index of the first descriptor of the same open file: often its own */
	char *path;		/* as /proc/PID/fd has it */
};

/* The kernel's struct sigaction on x86-64. */
struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};

#define ITIMERS 3
#define STATUS_SIZE 8192
#define CWD_SIZE 4096

/* What only the process itself can ask the kernel. */
struct inside {
	struct kernel_sigaction actions[SIGNALS];
	struct itimerval timers[ITIMERS];
	uint64_t program_break;
	char cwd[CWD_SIZE];		/* as the process sees it */
};

struct kernel_state {
	struct inside inside;
	uint32_t umask;
	char *status;			/* text of /proc/PID/status */
};

#define AUXILIARY_SIZE 1024

/* What no rewind changes, and only a process that is booted from the image needs to be told. */
struct origin {
	struct prctl_mm_map limits;	/* of code, data, heap, stack, arguments, environment */
	uint8_t auxiliary[AUXILIARY_SIZE];
	uint32_t auxiliary_length;
	uint64_t barriers;		/* what it has registered with membarrier() */
	dev_t device;			/* of its program, */
	ino_t inode;			/* and which file that is */
};

struct image {
	int fd;				/* sealed memory file */
	const uint8_t *pages;		/* our read-only window on it */
	uint64_t size;
	char *maps;			/* text of /proc/PID/maps at the checkpoint, our mappings included */
	uint64_t maps_length;
	char *flags;			/* rw_read_flag_lines() at the checkpoint */
	bool hides_flags;		/* a region of it may */
	struct region_list regions;
	struct extent *extents;
	uint64_t extent_count, extent_capacity;
	struct thread *threads;		/* the leader first */
	uint32_t thread_count;
	struct descriptor *descriptors;
	uint32_t descriptor_count;
	struct kernel_state kernel;
	struct origin origin;
	uint64_t code, table, window;	/* where our three mappings lie in the process */
	uint64_t pages_saved;		/* in the file of this one */
	struct page_run *replaced;	/* of a level: mappings made since the image below, maybe in place of that one's */
	uint64_t replaced_count;
};

void rw_image_free(struct image *image);
/* For another process: all but the pages, which both have. 0 or -errno. *to: rw_image_free() whatever comes of it. */
int rw_image_copy(const struct image *image, struct image *to);

#endif
