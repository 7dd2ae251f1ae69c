/* What the files that boot a process from an image share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RW_BOOT_H
#define RW_BOOT_H

#include "internal.h"

#include <pthread.h>

/* A boot under way. Its process's image is a copy of the template's, and becomes the booted process's own bit by bit. */
struct boot {
	struct rw_process *p;
	struct bootstrap bootstrap;	/* its scratch page lies where the image has nothing */
};

/* What an embryo has that no other process needs. */
struct embryo {
	pthread_mutex_t turn;		/* one birth at a time */
	enum rw_rung rung;		/* of those that are born */
	uint64_t scratch, files;	/* a page of it for whoever boots; the limit of descriptors */
};

#define MAX_JOINS 8

/* The cgroups of a container. */
struct joins {
	int folder;			/* of version 2, or -1 */
	int files[MAX_JOINS];		/* of version 1: "tasks" */
	uint32_t count;
};

/* A birth under way. */
struct birth {
	struct boot boot;
	struct rw_process *embryo;
	uint32_t uid, gid;
	struct joins joins;
	uint32_t given;
	int init;			/* the launcher: a pidfd */
	pid_t between, child;		/* 0: there is none, or no more */
};

/* -- boot.c ---------------------------------------------------------------------------------------------------------------- */

/* Bound to the process with a copy of the image, in which only the leader's id is its own yet. */
struct rw_process *rw_boot_bind(const struct rw_process *template, pid_t pid);
/* From when all is in place to the last comparison. */
int rw_boot_finish(struct rw_process *p, bool verify, struct rw_error *error);
/* Killed by whomever, or ended. */
bool rw_is_gone(pid_t pid);
/* Kills and collects whatever of it is traced. */
void rw_boot_end(struct frozen *frozen);
/* Lets it go, or ends it. */
int rw_boot_done(struct rw_process *p, struct frozen *frozen, int failed, struct rw_error *error);
void rw_boot_summary(const struct rw_process *p, double start, struct rw_summary *summary);

/* -- boot_embryo.c --------------------------------------------------------------------------------------------------------- */

/* It goes on sleeping, untraced, without descriptors. */
int rw_embryo_park(struct rw_process *p, struct rw_error *error);

/* -- boot_birth.c ---------------------------------------------------------------------------------------------------------- */

/* Descriptors of an embryo and of its child, as they come: it has none of its own. The last is whatever is needed next. */
enum { FD_US, FD_INIT, FD_PASSED };

/* Sets birth->child: stopped, traced, with a table of its own. Nothing is left where it fails. */
int rw_be_born(struct birth *birth, struct rw_error *error);
/* *pid is 0 afterwards, as it may be before. */
void rw_kill_and_collect(pid_t *pid);

/* -- boot_cgroups.c -------------------------------------------------------------------------------------------------------- */

/* To be closed also where it fails. */
int rw_joins_open(struct joins *joins, const char *paths, uint64_t length, struct rw_error *error);
void rw_joins_close(struct joins *joins);
/* Queues what the process does to be in those of version 1. */
int rw_joins_plan(const struct joins *joins, struct rw_process *p, struct rw_error *error);

/* -- boot_start.c: from a waiting process to an empty one --------------------------------------------------------------- */

/* Lets it execute its program, and stops it before the first instruction. */
int rw_boot_catch(struct boot *boot, int go, struct rw_error *error);
/* Our code, table and the image come where the image has them; from here on the table does the work. */
int rw_boot_enter(struct boot *boot, struct rw_error *error);

/* -- boot_memory.c -------------------------------------------------------------------------------------------------------- */

int rw_boot_memory(struct boot *boot, struct rw_error *error);
int rw_boot_barriers(struct rw_process *p, struct rw_error *error);
/* Passes what it takes from this place in the table on. */
int rw_boot_limits(struct rw_process *p, uint64_t passing, struct rw_error *error);

/* -- boot_pages.c --------------------------------------------------------------------------------------------------------- */

/* Neighbours that the kernel would join, were they not kept apart until each has pages of its own. */
bool rw_is_divided(const struct region_list *list, uint64_t i);
/* Queues giving a region another flag than its neighbours have, or its own again. */
int rw_set_apart(struct rw_process *p, const struct region *region, bool apart, struct rw_error *error);
int rw_boot_pages(struct boot *boot, struct rw_error *error);

/* -- boot_layout.c ---------------------------------------------------------------------------------------------------------- */

/* Nothing of ours is left but what the image has; all mappings are the image's, and watched. */
int rw_boot_layout(struct boot *boot, struct rw_error *error);

/* -- boot_descriptors.c ----------------------------------------------------------------------------------------------------- */

/* What the process has already stands for the image's of the same number; all else is made. */
int rw_boot_descriptors(struct boot *boot, struct rw_error *error);

/* -- boot_threads.c ---------------------------------------------------------------------------------------------------------- */

/* The leader's own state, and the other threads with theirs. */
int rw_boot_threads(struct boot *boot, struct rw_error *error);

#endif
