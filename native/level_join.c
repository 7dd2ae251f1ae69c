/* New mappings that lie beside others of their like: made anew, so that they are one with them wherever they are made anew later. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* But that one is watched, and the other not yet. */
static bool are_alike(const struct rw_process *p, const struct region *left, const struct region *right)
{
	return left->end == right->start && left->kind == REGION_ANONYMOUS && right->kind == REGION_ANONYMOUS &&
	       left->prot == right->prot && !((left->flags ^ right->flags) & ~FLAG_WATCHED) &&
	       left->name_length == right->name_length &&
	       !memcmp(p->text + left->name, p->text + right->name, left->name_length);
}

static bool has_neighbour(const struct rw_process *p, uint64_t i)
{
	const struct region_list *now = &p->now;

	return (i > 0 && are_alike(p, &now->at[i - 1], &now->at[i])) ||
	       (i + 1 < now->count && are_alike(p, &now->at[i], &now->at[i + 1]));
}

static int read_runs(struct rw_process *p, const struct page_run *runs, uint64_t count, uint8_t *to, struct rw_error *error)
{
	for (uint64_t i = 0; i < count; to += runs[i].end - runs[i].start, i++) {
		int failed = rw_read_memory(p, runs[i].start, to, runs[i].end - runs[i].start);

		if (failed)
			return rw_fail(error, RW_SYSTEM, -failed, "cannot read page %llx", (unsigned long long)runs[i].start);
	}
	return 0;
}

static int write_runs(struct rw_process *p, const struct page_run *runs, uint64_t count, const uint8_t *from,
		      struct rw_error *error)
{
	for (uint64_t i = 0; i < count; from += runs[i].end - runs[i].start, i++) {
		int failed = rw_write_memory(p, runs[i].start, from, runs[i].end - runs[i].start);

		if (failed)
			return rw_fail(error, RW_SYSTEM, -failed, "cannot write page %llx", (unsigned long long)runs[i].start);
	}
	return 0;
}

/*
 * The kernel makes two mappings one only as long as one of them has no pages. SAFETY: what is written are the bytes that were
 * there; no thread runs in between but the leader, in our code.
 */
static int make_anew(struct rw_process *p, const struct region *region, struct rw_error *error)
{
	struct page_run *runs cleanup_(rw_free) = NULL;
	uint8_t *bytes cleanup_(rw_free) = NULL;
	const uint64_t dirty_count = p->dirty_count;
	uint64_t count = 0, capacity = 0, size = 0;
	int failed = rw_private_runs(p, region->start, region->end, &runs, &count, &capacity, error);

	for (uint64_t i = 0; i < count; i++)
		size += runs[i].end - runs[i].start;
	if (!failed && !(bytes = malloc(size + 1)))
		failed = rw_fail(error, RW_SYSTEM, ENOMEM, "pages of mapping %llx", (unsigned long long)region->start);
	if (!failed)
		failed = read_runs(p, runs, count, bytes, error);
	if (!failed)
		failed = rw_remake(p, region, region->start, region->end, error);
	p->dirty_count = dirty_count; /* it is listed already, as new */
	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (!failed)
		failed = rw_rung_register(p, region, error);
	return failed ? failed : write_runs(p, runs, count, bytes, error);
}

int rw_level_join(struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < p->now.count && p->rung == RW_WRITE_PROTECT && !failed; i++) {
		const struct region *region = &p->now.at[i];

		if (rw_tracked(region) && !(region->flags & (FLAG_WATCHED | FLAG_DROPPABLE | FLAG_GROWSDOWN)) &&
		    has_neighbour(p, i))
			failed = make_anew(p, region, error);
	}
	return failed;
}
