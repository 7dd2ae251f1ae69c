/* Mappings as /proc/PID/maps tells them: read, parsed, looked up. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_STEP 65536

int rw_read_text(int fd, char **text, uint64_t *capacity, uint64_t *length, struct rw_error *error)
{
	*length = 0;
	for (;;) {
		ssize_t got;

		if (rw_reserve(text, capacity, *length + TEXT_STEP, 1))
			return rw_fail(error, RW_SYSTEM, ENOMEM, "text of a proc file");
		got = pread(fd, *text + *length, *capacity - *length - 1, (off_t)*length);
		if (got < 0)
			return rw_fail(error, errno == ESRCH ? RW_PROCESS_GONE : RW_SYSTEM, errno, "cannot read a proc file");
		if (got == 0)
			break;
		*length += (uint64_t)got;
	}
	(*text)[*length] = 0;
	return *length ? 0 : rw_fail(error, RW_PROCESS_GONE, 0, "the process has no memory any more");
}

static uint8_t kind_of(const struct region *region, const char *name)
{
	if (!strncmp(name, "[vdso]", 6) || !strncmp(name, "[vvar", 5) || !strncmp(name, "[vsyscall]", 10) ||
	    !strncmp(name, "[uprobes]", 9))
		return REGION_SPECIAL;
	if (region->shared)
		return region->inode && !(region->prot & PROT_WRITE) && *name == '/' ? REGION_READONLY : REGION_SHARED;
	return region->inode ? REGION_FILE : REGION_ANONYMOUS;
}

/* The fields of one line: start-end perms offset major:minor inode, blanks, name. Gives the length up to the name. */
static size_t parse_line(const char *line, struct region *region)
{
	char *at;
	uint64_t major, minor;

	region->start = strtoull(line, &at, 16);
	region->end = strtoull(at + 1, &at, 16);
	at++;
	region->prot = (uint8_t)((at[0] == 'r' ? PROT_READ : 0) | (at[1] == 'w' ? PROT_WRITE : 0) |
				 (at[2] == 'x' ? PROT_EXEC : 0));
	region->shared = at[3] == 's';
	region->offset = strtoull(at + 5, &at, 16);
	major = strtoull(at + 1, &at, 16);
	minor = strtoull(at + 1, &at, 16);
	region->device = (uint32_t)(major << 20 | minor);
	region->inode = strtoull(at + 1, &at, 10);
	while (*at == ' ')
		at++;
	return (size_t)(at - line);
}

int rw_parse_maps(const char *text, struct region_list *list, struct rw_error *error)
{
	list->count = 0;
	for (const char *line = text; *line;) {
		struct region region = { 0 };
		const char *name = line + parse_line(line, &region);
		const char *end = strchr(name, '\n');

		if (!end || region.end <= region.start)
			return rw_fail(error, RW_SYSTEM, 0, "cannot parse the text of maps");
		region.kind = kind_of(&region, name);
		region.name = (uint32_t)(name - text);
		region.name_length = (uint32_t)(end - name);
		if (rw_reserve(&list->at, &list->capacity, list->count + 1, sizeof(region)))
			return rw_fail(error, RW_SYSTEM, ENOMEM, "list of mappings");
		list->at[list->count++] = region;
		line = end + 1;
	}
	return 0;
}

const struct region *rw_region_at(const struct region_list *list, uint64_t address)
{
	uint64_t low = 0, high = list->count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (list->at[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->at[low].start <= address ? &list->at[low] : NULL;
}
