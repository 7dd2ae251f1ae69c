/* Flags of mappings that only smaps shows: read, compared, and kept from changing where nobody would see it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static uint16_t parse_flags(const char *line)
{
	static const struct {
		char word[4];
		uint16_t flag;
	} words[] = { { "nr", FLAG_NORESERVE }, { "gd", FLAG_GROWSDOWN }, { "dc", FLAG_DONTFORK },
		      { "wf", FLAG_WIPEONFORK }, { "dd", FLAG_DONTDUMP }, { "lo", FLAG_LOCKED }, { "dp", FLAG_DROPPABLE },
		      { "ac", FLAG_ACCOUNTED }, { "nh", FLAG_NOHUGEPAGE }, { "hg", FLAG_HUGEPAGE }, { "rr", FLAG_RANDOM },
		      { "sr", FLAG_SEQUENTIAL }, { "mg", FLAG_MERGEABLE }, { "uw", FLAG_WATCHED } };
	uint16_t flags = 0;

	for (; *line && *line != '\n'; line += 3)
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (!strncmp(line, words[i].word, 2))
				flags |= words[i].flag;
	return flags;
}

/* Of the lines on one mapping, which end at `end`. */
static bool is_zero(const char *lines, const char *end, const char *key)
{
	const char *found = strstr(lines, key);

	return found && found < end && !strtoull(found + strlen(key), NULL, 10);
}

/* But for "sd": with it the kernel marks mappings made since the soft-dirty bits were cleared, for whoever clears them. */
int rw_read_flag_lines(pid_t pid, uint64_t count, char **lines, bool *without_pages, struct rw_error *error)
{
	static const char head[] = "\nVmFlags: ";
	char path[40];
	int fd cleanup_(rw_close) = -1;
	char *text cleanup_(rw_free) = NULL;
	char *to;
	uint64_t capacity = 0, length, left = count;
	int failed;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return rw_fail(error, RW_SYSTEM, errno, "cannot open %s", path);
	failed = rw_read_text(fd, &text, &capacity, &length, error);
	if (failed)
		return failed;
	if (text[length - 1] != '\n')
		return rw_fail(error, RW_SYSTEM, 0, "smaps ends within a line");
	to = text;
	for (const char *at = text, *of = text; (at = strstr(at, head)); of = at, left--) {
		if (without_pages && left)
			without_pages[count - left] = is_zero(of, at, "\nRss:") && is_zero(of, at, "\nSwap:");
		at += sizeof(head) - 1;
		for (const char *end = at + strcspn(at, "\n"); end - at >= 3; at += 3)
			if (strncmp(at, "sd", 2)) {
				memcpy(to, at, 3);
				to += 3;
			}
		*to++ = '\n';
	}
	*to = 0;
	if (left)
		return rw_fail(error, RW_SYSTEM, 0, "smaps and maps disagree");
	*lines = text;
	text = NULL;
	return 0;
}

void rw_parse_flags(const char *lines, struct region_list *list)
{
	for (uint64_t i = 0; i < list->count; i++, lines = strchr(lines, '\n') + 1)
		list->at[i].flags = parse_flags(lines);
}

int rw_read_flags(pid_t pid, struct region_list *list, struct rw_error *error)
{
	char *lines cleanup_(rw_free) = NULL;
	int failed = rw_read_flag_lines(pid, list->count, &lines, NULL, error);

	if (!failed && lines)
		rw_parse_flags(lines, list);
	return failed;
}

int rw_compare_flags(struct rw_process *p, enum rw_reason reason, struct rw_error *error)
{
	const struct region_list *list = &p->image->regions;
	const char *was = p->image->flags, *is;
	char *lines cleanup_(rw_free) = NULL;
	int failed;

	p->looked_at = 0;
	if (rw_reserve(&p->without_pages, &p->without_pages_capacity, list->count, sizeof(*p->without_pages)))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "flags of mappings");
	failed = rw_read_flag_lines(p->pid, list->count, &lines, p->without_pages, error);
	if (failed || !lines)
		return failed;
	p->looked_at = list->count;
	is = lines;
	for (uint64_t i = 0; i < list->count; i++) {
		size_t length = strcspn(was, "\n");

		if (strncmp(was, is, length + 1))
			return rw_fail(error, reason, 0, "flags of mapping %llx were \"%.*s\", are \"%.*s\"",
				       (unsigned long long)list->at[i].start, (int)length, was, (int)strcspn(is, "\n"), is);
		was += length + 1;
		is += length + 1;
	}
	return 0;
}

/*
 * Of memory that is watched, only whether it is accounted for can change: the kernel begins with that where it is made
 * writable, and anonymous memory may lose it where it is not writable.
 */
bool rw_may_hide_flags(const struct region *region)
{
	return region->kind == REGION_ANONYMOUS && !(region->prot & PROT_WRITE) && !(region->flags & FLAG_NORESERVE);
}

/* Watched like those beside it, and without flags of its own, another mapping may have become one with them. */
static int check_places(struct rw_process *p, struct rw_error *error)
{
	bool equal;
	int failed = rw_read_layout(p, &equal, error);

	if (!failed && !equal && p->below.image) {
		failed = rw_parse_maps(p->text, &p->now, error);
		if (!failed)
			failed = rw_level_adopt_layout(p, &equal, error);
	}
	return failed || equal ? failed : rw_layout_difference(p, RW_MAPPING, error);
}

int rw_check_flags(struct rw_process *p, struct rw_error *error)
{
	int failed = p->watched_anew ? check_places(p, error) : 0;

	if (failed)
		return failed;
	if (p->rung == RW_WRITE_PROTECT && !p->image->hides_flags && !p->watched_anew && !rw_level_crossed(p))
		return 0;
	return rw_compare_flags(p, RW_MAPPING, error);
}

/* What was mapped since the base is settled for the level, and what the base has stays as it has it. */
static bool is_settled(const struct rw_process *p, const struct region *region)
{
	const struct image *below = p->below.image;

	for (uint64_t i = 0; below && i < below->regions.count; i++)
		if (below->regions.at[i].start < region->end && region->start < below->regions.at[i].end)
			return true;
	return false;
}

/* A guard page that was writable for a moment would tell so for ever; one that was so before would hide it. */
int rw_settle_accounts(struct rw_process *p, bool *changed, struct rw_error *error)
{
	int failed = rw_read_flags(p->pid, &p->now, error);

	for (uint64_t i = 0; i < p->now.count && !failed; i++) {
		struct region *region = &p->now.at[i];
		const uint64_t start = region->start, length = region->end - start;
		bool unwritten;

		if (!rw_tracked(region) || region->prot & PROT_WRITE || region->flags & FLAG_NORESERVE ||
		    is_settled(p, region))
			continue;
		if (region->kind == REGION_FILE) {
			if (region->flags & FLAG_ACCOUNTED)
				continue;
			failed = rw_op(p, error, SYS_mprotect, 0, start, length, region->prot | PROT_WRITE, 0, 0, 0);
			if (!failed)
				failed = rw_op(p, error, SYS_mprotect, 0, start, length, region->prot, 0, 0, 0);
			continue;
		}
		failed = rw_is_unwritten(p, region, &unwritten, error);
		if (failed || !unwritten)
			continue;
		region->flags |= FLAG_NORESERVE;
		failed = rw_remake(p, region, start, region->end, error);
	}
	*changed = p->op_count > 0;
	return failed || !*changed ? failed : rw_run_ops(p, NULL, error);
}
