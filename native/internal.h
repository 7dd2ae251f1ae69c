/* What the files of the native library share: a process bound to its image, and what each file offers the others. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RW_INTERNAL_H
#define RW_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "image.h"
#include "inject.h"
#include "kernel_abi.h"
#include "rewind.h"

#define PAGE 4096ULL
#define MAX_XSTATE 16384
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

/* -- steps.c -------------------------------------------------------------------------------------------------------- */

/* One thing that a rewind does, by the name under which docs/PROMISES.md knows it. */
struct step {
	const char *name;
	int (*run)(struct rw_process *p, struct rw_error *error);
};

/* Up to the first that fails. */
int rw_run_steps(const struct step *steps, size_t count, struct rw_process *p, struct rw_error *error);

#ifdef RW_TEST
/* All of a rewind by their place; NULL behind the last. */
const struct step *rw_rewind_step(uint32_t index);
#endif

/* -- A process bound to its image ---------------------------------------------------------------------------------- */

/* What a process can be put back to: its base, or a level over it. */
struct target {
	struct image *image;
	int *held;			/* our duplicates of the image's descriptors */
	int *info;			/* their fdinfo files, -1 where they are not read again */
};

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
	int shared_pages, mounts;	/* of a booted one: pagemap and mount namespace of the embryo whose memory it shares; else -1 */
	struct embryo *embryo;		/* where it is one */
	int *held, *info;		/* as in a target: these three are the one in use */
	struct target below;		/* the base, while a level over it is in use; else none */
	struct target above;		/* the level that a rewind to the base leaves; else none */
	struct target coming;		/* the level that it is about to be brought to, until it is in use; else none */
	bool is_brought;		/* to the level in use, at which it has not been yet */
	uint8_t *table;			/* our writable view of the table's file */
	uint64_t op_count, ops_used;
	struct frozen *frozen;		/* while a call is under way, like all that follows */
	uint32_t first_thread, end_thread; /* whose registers are to be put back */
	int64_t waited, signalled;	/* what the process's wait4() and rt_sigtimedwait() said */
	bool threads_at_work;		/* all but the leader, with entries of their own */
	bool threads_quiet;		/* none of them found a signal pending */
	bool same_layout;
	bool watched_anew;		/* memory that was found not to be watched */
	char *text;			/* latest text of maps */
	uint64_t text_capacity, text_length;
	struct region_list now;
	struct dirty *dirty;
	uint64_t dirty_count, dirty_capacity;
	struct rw_page_region *scan;
	uint64_t *pagemap_buffer;
	bool *without_pages;		/* of so many mappings of the image, since the oracle has looked at their flags */
	uint64_t without_pages_capacity, looked_at;
	uint64_t fresh_copied;		/* pages copied by the first rewind after the last re-arming */
	bool rearm;
	struct rw_timings took;
};

/* -- process.c ------------------------------------------------------------------------------------------------------ */

/* With no file open; to be freed by rw_release(). NULL where there is no memory. */
struct rw_process *rw_process_new(pid_t pid, enum rw_rung rung);
int rw_process_open(struct rw_process *p, struct rw_error *error);
void rw_target_free(struct target *target);

/* -- freeze.c: all threads of a process stopped, or none ------------------------------------------------------------ */

struct frozen {
	pid_t pid;
	pid_t *tids;			/* the first `known` are the image's, in its order; then those born since */
	int *signals;			/* a signal taken on its way to delivery, handed back at the thaw; else 0 */
	uint32_t count, known, capacity;
	bool group_stopped;
	bool killed;			/* a thread was seen to end by a signal, as then all do */
	bool touched;			/* from here on a thaw is only right after a complete rewind */
};

/*
 * Stops every thread of `pid`; known[] must all be among them. On failure nothing stays stopped. pidfd: tells whether the number is
 * the process's still; -1 where it must be.
 */
int rw_freeze(pid_t pid, int pidfd, const pid_t *known, uint32_t known_count, struct frozen *frozen, struct rw_error *error);
/*
 * waitpid() for one traced thread. 0: it is a leader whose process has been killed, and its end comes last. For a leader, when
 * nothing but its end can be reported of any other thread that the caller traces.
 */
pid_t rw_wait(pid_t tid, int *status);
/*
 * Lets them run. A process that was touched and not finished is killed instead. Idempotent. False: a thread could not be let
 * go, because the process is being killed; it is dead then, and its parent's to reap.
 */
bool rw_thaw(struct frozen *frozen);
/* At the end of a call that is about to answer `failed`: what it answers then. */
int rw_thaw_after(struct frozen *frozen, int failed, struct rw_error *error);
void rw_kill_frozen(struct frozen *frozen);

/* -- maps.c: mappings as the kernel tells them ------------------------------------------------------------------------ */

int rw_read_text(int fd, char **text, uint64_t *capacity, uint64_t *length, struct rw_error *error);
int rw_parse_maps(const char *text, struct region_list *list, struct rw_error *error);
const struct region *rw_region_at(const struct region_list *list, uint64_t address);

/* -- layout.c: all mappings together ----------------------------------------------------------------------------------- */

/* Reads the text of maps. *equal: it is the image's. */
int rw_read_layout(struct rw_process *p, bool *equal, struct rw_error *error);
/* Names the first line in which the text last read differs from the image's. */
int rw_layout_difference(struct rw_process *p, enum rw_reason reason, struct rw_error *error);
/* Step: refuses a process in which our mappings are not in place: the code must not run there, least of all unfiltered. */
int rw_check_injected(struct rw_process *p, struct rw_error *error);
/* Steps: the live layout equals the image's again. Appends what was made anew to p->dirty. */
int rw_plan_break(struct rw_process *p, struct rw_error *error);
int rw_put_back_layout(struct rw_process *p, struct rw_error *error);

bool rw_same_object(const struct region *was, const struct region *is, uint64_t address);

/* -- remap.c: mappings made in the process ------------------------------------------------------------------------------ */

/* Queues the mapping of [start, end) of an image's region again, empty; its pages come with the others, by p->dirty. */
int rw_remake(struct rw_process *p, const struct region *was, uint64_t start, uint64_t end, struct rw_error *error);
/* The same for a whole region in a process that is being booted; the file is open as `fd` there. */
int rw_map_region(struct rw_process *p, const struct region *region, uint64_t fd, struct rw_error *error);
/* Step: the state of the vDSO's getrandom() lies there, which would give the same numbers after every rewind. */
int rw_plan_droppable(struct rw_process *p, struct rw_error *error);
/* Maps the process's read-only file mappings anew as shared ones, so that no page of them can ever be written. */
int rw_share_readonly(struct rw_process *p, struct rw_error *error);

/* -- flags.c: what only smaps shows of mappings ------------------------------------------------------------------------------ */

/* All of each of `count` mappings in turn, a line for each. To be freed by the caller. */
/* without_pages[i], where it is given: mapping i has no page, neither in memory nor in swap. */
int rw_read_flag_lines(pid_t pid, uint64_t count, char **lines, bool *without_pages, struct rw_error *error);
/* What of them decides how each region of `list` is made anew. */
int rw_read_flags(pid_t pid, struct region_list *list, struct rw_error *error);
void rw_parse_flags(const char *lines, struct region_list *list);
int rw_compare_flags(struct rw_process *p, enum rw_reason reason, struct rw_error *error);
/* Whether they can change although its pages are still watched. */
bool rw_may_hide_flags(const struct region *region);
/* Step: where the rung does not notice that a mapping was put in place of another. */
int rw_check_flags(struct rw_process *p, struct rw_error *error);
/* Before the checkpoint: so that mprotect() changes no flag that outlives it. p->now has its flags then, unless *changed. */
int rw_settle_accounts(struct rw_process *p, bool *changed, struct rw_error *error);

/* -- pages.c: finding, saving, planning ------------------------------------------------------------------------------ */

/* Calls back for each run of private pages (present or swapped, not the file's own) of [start, end). */
int rw_private_runs(struct rw_process *p, uint64_t start, uint64_t end, struct page_run **runs, uint64_t *count,
		    uint64_t *capacity, struct rw_error *error);
/* Whether that costs nothing where nobody has touched anything; else every page of it is looked at. */
bool rw_is_passed_over(const struct rw_process *p, uint64_t start, uint64_t end);
/* Whether the process owns no page of the region: then the file alone, or the kernel, says what it holds. */
int rw_is_unwritten(struct rw_process *p, const struct region *region, bool *unwritten, struct rw_error *error);
/* Step: the process may have made the vDSO writable, and the next action would run what it wrote there. */
int rw_check_kernel_code(struct rw_process *p, struct rw_error *error);
int rw_read_memory(struct rw_process *p, uint64_t address, void *to, uint64_t length);
int rw_write_memory(struct rw_process *p, uint64_t address, const void *from, uint64_t length);
int rw_dirty_add(struct rw_process *p, uint64_t start, uint64_t end, bool written, struct rw_error *error);
/* The extent that covers an address, or the next one behind it, or the end of the list. */
const struct extent *rw_extent_at(const struct image *image, uint64_t address);
/* Where the bytes of an address within an extent lie: here, and in the process. */
const uint8_t *rw_saved_here(const struct rw_process *p, const struct extent *extent, uint64_t address);
uint64_t rw_saved_there(const struct rw_process *p, const struct extent *extent, uint64_t address);
/* Step: from p->dirty to a batch of copies, zeroes and drops. */
int rw_plan_pages(struct rw_process *p, struct rw_error *error);

/* -- dirty.c: the rungs ------------------------------------------------------------------------------------------------ */

int rw_rung_attach(struct rw_process *p, const struct user_regs_struct *base, uint64_t syscall_at,
		   struct rw_error *error);
/* Runs what the table holds. */
int rw_rung_attach_by_table(struct rw_process *p, struct rw_error *error);
int rw_rung_register(struct rw_process *p, const struct region *region, struct rw_error *error);
int rw_rung_unregister(struct rw_process *p, uint64_t start, uint64_t end, struct rw_error *error);
int rw_register_all(struct rw_process *p, struct rw_error *error);
int rw_rung_arm(struct rw_process *p, struct rw_error *error);
/* Step: fills p->dirty (it may hold entries already). */
int rw_rung_collect(struct rw_process *p, struct rw_error *error);
/* Fills p->dirty with all that may differ from the image below: of mappings that it had, what was written, and all others. */
int rw_rung_collect_since_base(struct rw_process *p, struct rw_error *error);
/* After the pages are back. */
int rw_rung_rearm(struct rw_process *p, struct rw_error *error);
bool rw_tracked(const struct region *region);

/* -- threads.c ---------------------------------------------------------------------------------------------------------- */

/* *waiting: it sat in a system call that is made again. */
int rw_thread_save(pid_t tid, struct thread *thread, bool *waiting, struct rw_error *error);
/* A thread that was saved waiting makes its call from the beginning, with all of its time. */
int rw_call_anew(const struct thread *thread, struct rw_error *error);
int rw_thread_compare(const struct thread *thread, struct rw_error *error);
int rw_block_signals(pid_t tid, struct rw_error *error);
/*
 * A step, for all frozen threads: a thread may call injected code a critical section (rseq) of its own, and the kernel
 * would have it go on at an address of its choice instead, unfiltered.
 */
int rw_leave_critical_sections(struct rw_process *p, struct rw_error *error);
/* Registers and signal masks of threads[first] up to threads[end]. */
int rw_registers_set(const struct thread *threads, uint32_t first, uint32_t end, struct rw_error *error);
/* Steps, for p->first_thread up to p->end_thread. */
int rw_put_back_general(struct rw_process *p, struct rw_error *error);
int rw_put_back_vectors(struct rw_process *p, struct rw_error *error);
int rw_put_back_masks(struct rw_process *p, struct rw_error *error);
/* Step: the kernel keeps the number of the CPU in each thread's rseq area, and has written it where injected code ran. */
int rw_put_back_cpu_number(struct rw_process *p, struct rw_error *error);
/* What is written there lies in one piece of the image. */
bool rw_sequence_is_whole(const struct image *image, const struct thread *thread);

/* -- thread_state.c: what the kernel keeps of each thread ------------------------------------------------------------------ */

/* Entries with which the leader puts its own back. */
int rw_plan_alternate_stack(struct rw_process *p, struct rw_error *error);
int rw_plan_name(struct rw_process *p, struct rw_error *error);
int rw_plan_robust_list(struct rw_process *p, struct rw_error *error);
int rw_plan_exit_word(struct rw_process *p, struct rw_error *error);
/* Steps: the same by all other threads, whose pending signals end as well. They begin early, and are awaited late. */
int rw_threads_begin(struct rw_process *p, struct rw_error *error);
int rw_threads_put_back(struct rw_process *p, struct rw_error *error);
/* All threads ask for their own; answers[] lies at `at` in the process. */
int rw_threads_ask(struct rw_process *p, uint64_t at, struct rw_error *error);
int rw_thread_inside_compare(const struct thread *was, const struct thread_inside *is, struct rw_error *error);

/* -- descriptors.c ------------------------------------------------------------------------------------------------------- */

int rw_descriptors_save(struct rw_process *p, struct rw_error *error);
/* The number of the next one that the process opens. */
int rw_lowest_free(struct rw_process *p, uint64_t *fd, struct rw_error *error);
/* Steps: lost or replaced ones are refused; the surplus closed; flags and positions set; locks ended. */
int rw_descriptors_check(struct rw_process *p, struct rw_error *error);
int rw_plan_closing(struct rw_process *p, struct rw_error *error);
int rw_plan_descriptor_flags(struct rw_process *p, struct rw_error *error);
int rw_plan_positions(struct rw_process *p, struct rw_error *error);
/* Locks of fcntl() belong to the process, and only it can end them. */
int rw_plan_record_locks(struct rw_process *p, struct rw_error *error);
/* From outside, at any time. */
int rw_put_back_file_locks(struct rw_process *p, struct rw_error *error);
/* Nothing surplus, flags and positions as saved, nothing locked. */
int rw_descriptors_compare(struct rw_process *p, struct rw_error *error);

/* -- objects.c: the state of what is behind the descriptors, seen and put back through our duplicates ---------------------- */

int rw_objects_save(struct rw_process *p, struct rw_error *error);
/* Steps, from outside, at any time. */
int rw_check_shut_down(struct rw_process *p, struct rw_error *error);
int rw_put_back_socket_options(struct rw_process *p, struct rw_error *error);
int rw_put_back_pipes(struct rw_process *p, struct rw_error *error);
int rw_put_back_counters(struct rw_process *p, struct rw_error *error);
/* After the surplus descriptors have been closed. */
int rw_put_back_interest(struct rw_process *p, struct rw_error *error);
int rw_check_objects(struct rw_process *p, struct rw_error *error);
int rw_objects_compare(struct rw_process *p, struct rw_error *error);
/* Of a booted process whose descriptors are there: what is behind them becomes as in the image. */
int rw_objects_adopt(struct rw_process *p, struct rw_error *error);
/* Polls one of ours. *seen: what there is of these events now, hang-ups among them. */
int rw_look_for(int fd, short events, short *seen, struct rw_error *error);

/* -- sockets.c, pipes.c: of the descriptor with that index in the image ---------------------------------------------------- */

int rw_socket_save(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_socket_check_shut_down(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_socket_put_back_options(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_socket_compare(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error);
int rw_pipe_save(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_pipe_put_back(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_pipe_compare(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error);
int rw_counter_put_back(struct rw_process *p, uint32_t index, struct rw_error *error);
bool rw_counter_can_be_put_back(const struct descriptor *descriptor);

/* -- attributes.c: of pipes and sockets ------------------------------------------------------------------------------------- */

int rw_attributes_save(int fd, struct attributes *attributes, struct rw_error *error);
int rw_attributes_compare(int fd, const struct attributes *was, bool *equal, struct rw_error *error);
int rw_check_attributes(struct rw_process *p, struct rw_error *error);
int rw_put_back_times(struct rw_process *p, struct rw_error *error);
/* Of a booted process: owner, name and times are its own, all else must be the image's. */
int rw_attributes_adopt(struct rw_process *p, uint32_t index, struct rw_error *error);

/* -- fdinfo.c: of the descriptor with that index in the image ------------------------------------------------------------ */

int rw_info_save(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_info_put_back(struct rw_process *p, uint32_t index, struct rw_error *error);
int rw_info_compare(struct rw_process *p, uint32_t index, bool *equal, struct rw_error *error);
/* Of a booted process: fills the interest list, sees that all is as in the image, and takes over the numbers that are its own. */
int rw_info_adopt(struct rw_process *p, uint32_t index, struct rw_error *error);

/* -- inside.c ------------------------------------------------------------------------------------------------------------- */

/* Lets all threads run injected code. threads[]: one for each thread of the image. */
int rw_inside_look(struct rw_process *p, struct inside *inside, struct thread_inside *threads, struct rw_error *error);
int rw_inside_compare(struct rw_process *p, struct rw_error *error);

/* -- checkpoint.c: what taking a level has in common with it ---------------------------------------------------------------- */

/* Registers of all frozen threads, each of which must wait in a system call; the leader first. */
int rw_list_threads(struct rw_process *p, const struct frozen *frozen, struct rw_error *error);
int rw_parse_live_maps(struct rw_process *p, struct rw_error *error);
uint64_t rw_tracked_size(const struct region_list *list);
/* The final list of regions, each with its place in the image. */
int rw_fix_regions(struct rw_process *p, struct rw_error *error);

/* -- level.c, level_*.c: a second image over the base's, which holds what differs ---------------------------------------------- */

int rw_level_require_plain_threads(struct rw_process *p, struct rw_error *error);
int rw_level_require_known_descriptors(struct rw_process *p, struct rw_error *error);
/* Of p->now; the second once its flags are known. */
int rw_level_refuse_mappings(struct rw_process *p, struct rw_error *error);
int rw_level_refuse_sequences(struct rw_process *p, struct rw_error *error);
int rw_level_refuse_locks(struct rw_process *p, struct rw_error *error);
/* Once threads and descriptors are known: until the process is asked something, no thread of it can go on. */
int rw_level_require_rest(struct rw_process *p, struct rw_error *error);

/* The level that this rewind leaves, or comes to for the first time; NULL where it does neither. */
const struct image *rw_level_crossed(const struct rw_process *p);
/* The base that the shared level lies over is the process's, and the process is at no level. */
int rw_level_require_base(const struct rw_process *p, const struct rw_process *shared, struct rw_error *error);
/* What of a rewind comes first where a process is brought to a level: its image is there, and in use. */
int rw_level_enter(struct rw_process *p, struct rw_error *error);
/* Queues what lets the stack reach as far as the level's. */
int rw_level_grow_stack(struct rw_process *p, struct rw_error *error);
/* Once the break has moved: what it has added is one with the rest only where both are watched. */
int rw_level_watch_heap(struct rw_process *p, struct rw_error *error);

/* *equal: p->now, with the text last read, is the level's but for where a mapping ends and its like begins; it is the level's then. */
int rw_level_adopt_layout(struct rw_process *p, bool *equal, struct rw_error *error);

/* Around a rewind to the base: that is in use then, and the level above it; `failed` decides what becomes of this. */
int rw_level_leave(struct rw_process *p, struct rw_error *error);
int rw_level_left(struct rw_process *p, int failed, struct rw_error *error);
/* The live memory. */
int rw_level_save_memory(struct rw_process *p, struct bootstrap *boot, uint64_t pages, struct rw_error *error);
/* Where that has failed: what it had watched beside the base's is that no more. */
int rw_level_unwatch(struct rw_process *p, struct rw_error *error);
/* After rw_rung_collect_since_base(), with p->now as that had it. */
int rw_level_join(struct rw_process *p, struct rw_error *error);
/* Where a level is left or come to: makes anew what was mapped in place of the base's, and adds to p->dirty where the two differ. */
int rw_level_remake_replaced(struct rw_process *p, struct rw_error *error);
int rw_level_add_differences(struct rw_process *p, struct rw_error *error);

/* -- window.c ------------------------------------------------------------------------------------------------------------------ */

/* The process maps the image's file where the image has its window, over whatever is there. Its scratch page must be mapped. */
int rw_map_window(struct rw_process *p, const struct image *image, uint64_t scratch, struct rw_error *error);

/* -- rewind.c --------------------------------------------------------------------------------------------------------------- */

/* To the image in use; or to a level that the process is brought to. */
int rw_rewind_in_use(struct rw_process *p, uint32_t how, struct rw_timings *timings, struct rw_error *error);
/* The threads of the image in use, the leader first, then those born since. */
int rw_freeze_known(struct rw_process *p, struct frozen *frozen, struct rw_error *error);
/* Whoever is killed meanwhile fails at any step, for whatever it finds there: the killing is the reason. */
int rw_blame_killing(struct rw_process *p, int failed, struct rw_error *error);
/* -- origin.c ------------------------------------------------------------------------------------------------------------- */

int rw_origin_save(struct rw_process *p, struct rw_error *error);
/* Of a process that is being booted, which still has the vector that it was started with: as whom. */
int rw_auxiliary_adopt(struct rw_process *p, struct rw_error *error);
/* The vector tells that it runs as these. */
void rw_auxiliary_name(struct origin *origin, uint64_t uid, uint64_t gid);
/* After the descriptors. */
int rw_descriptor_origins_save(struct rw_process *p, struct rw_error *error);
/* Which file a process executes. */
int rw_program(pid_t pid, dev_t *device, ino_t *inode, struct rw_error *error);
/* A thread's id in its own pid namespace. */
int rw_inner_id(pid_t pid, pid_t tid, pid_t *inner, struct rw_error *error);

/* -- kernel_state.c ------------------------------------------------------------------------------------------------------- */

/* Once the code and the table are mapped. */
int rw_kernel_save(struct rw_process *p, struct rw_error *error);
/* Writes the data that the table's calls point to, for all rewinds to the image in use, and clears those of before. */
int rw_put_constants(struct rw_process *p, struct rw_error *error);
/* Killed by whomever, or ended. */
bool rw_was_killed(struct rw_process *p);
/* Steps: entries of the table. A call that changes nothing costs 0.12 us: nobody looks whether it is needed. */
int rw_plan_handlers(struct rw_process *p, struct rw_error *error);
int rw_plan_interval_timers(struct rw_process *p, struct rw_error *error);
int rw_plan_umask(struct rw_process *p, struct rw_error *error);
int rw_plan_directory(struct rw_process *p, struct rw_error *error);
int rw_plan_children(struct rw_process *p, struct rw_error *error);
int rw_plan_signal(struct rw_process *p, struct rw_error *error);
/* Steps, after the table has been worked through: what took more than one try, and what cannot be put back. */
int rw_reap_children(struct rw_process *p, struct rw_error *error);
int rw_drain_signals(struct rw_process *p, struct rw_error *error);
int rw_check_posix_timers(struct rw_process *p, struct rw_error *error);
int rw_check_status(struct rw_process *p, struct rw_error *error);
/* Whether the lines that no activation may change are the same in both. */
bool rw_status_lasts(const char *was, const char *is);
/* As a process has it that is brought to a level: what lasts is its own, what passes is the level's. NULL: no memory. */
char *rw_status_of_level(const char *own, const char *level);
/* Lets all threads run injected code: their registers and rseq areas have to be put back. */
int rw_kernel_compare(struct rw_process *p, struct rw_error *error);

/* -- verify.c --------------------------------------------------------------------------------------------------------------- */

/*
 * Everything of a frozen process but rw_kernel_compare(). `rested`: no thread has run since all was put back, so that even
 * the rseq areas must be equal.
 */
int rw_compare_frozen(struct rw_process *p, bool rested, struct rw_error *error);
/* Pages alone: those saved, and those that are not to be there. */
int rw_compare_memory(struct rw_process *p, bool rested, struct rw_error *error);

#endif
