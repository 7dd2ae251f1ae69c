/* The memory of a process and the registers of its threads, searched for the mark. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seek.h"

#include <fcntl.h>
#include <linux/elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PM_FILE (1ULL << 61)
#define PM_SWAPPED (1ULL << 62)
#define PM_PRESENT (1ULL << 63)

/* Of ourselves, what no other way can read ([vvar]) is read as the kernel reads what a process writes. */
static ssize_t read_own_page(struct seeker *s, uint64_t address, uint8_t *to)
{
	int pipe[2];
	ssize_t got;

	if (s->outside || pipe2(pipe, O_CLOEXEC | O_NONBLOCK))
		return -1;
	got = write(pipe[1], (const void *)(uintptr_t)address, PAGE);
	if (got > 0)
		got = read(pipe[0], to, PAGE);
	close(pipe[0]);
	close(pipe[1]);
	return got;
}

static void search_run(struct seeker *s, int memory, uint64_t start, uint64_t end, const char *where)
{
	for (uint64_t at = start; at < end; at += CHUNK) {
		size_t wanted = end - at < sizeof(s->buffer) ? end - at : sizeof(s->buffer);
		ssize_t got = pread(memory, s->buffer, wanted, (off_t)at);

		if (got == (ssize_t)wanted) {
			seek_bytes(s, s->buffer, wanted, CHUNK, where, at);
			continue;
		}
		for (uint64_t page = at; page < at + CHUNK && page < end; page += PAGE) {
			got = pread(memory, s->buffer, PAGE, (off_t)page);
			if (got <= 0)
				got = read_own_page(s, page, s->buffer);
			if (got > 0)
				seek_bytes(s, s->buffer, (size_t)got, PAGE, where, page);
			else
				fprintf(s->found, "! %s +%lx\n", where, page);
		}
	}
}

struct region {
	uint64_t start, end;
	bool has_device, of_kernel;
	char *where;
};

/*
 * All pages that are there, but those of files on devices: nobody in a container can write these. Of the neighbours of the
 * vDSO the pagemap says nothing.
 */
static void search_region(struct seeker *s, int memory, int pagemap, const struct region *region, bool swaps)
{
	uint64_t entries[4096], run = 0;
	const uint64_t there = PM_PRESENT | (swaps ? PM_SWAPPED : 0);

	for (uint64_t at = region->start; at < region->end;) {
		uint64_t count = (region->end - at) / PAGE;

		if (count > sizeof(entries) / sizeof(*entries))
			count = sizeof(entries) / sizeof(*entries);
		if (pread(pagemap, entries, count * 8, (off_t)(at / PAGE * 8)) != (ssize_t)(count * 8)) {
			fprintf(s->found, "! %s +%lx\n", region->where, at);
			return;
		}
		for (uint64_t i = 0; i < count; i++, at += PAGE) {
			bool is_there = region->of_kernel ||
					(entries[i] & there && !(region->has_device && entries[i] & PM_FILE));

			if (is_there && !run)
				run = at;
			if (!is_there && run) {
				search_run(s, memory, run, at, region->where);
				run = 0;
			}
		}
	}
	if (run)
		search_run(s, memory, run, region->end, region->where);
}

static bool has_swapped(const char *process)
{
	char path[64], line[256];
	unsigned long swapped = 0;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%s/status", process);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "VmSwap: %lu", &swapped);
	if (status)
		fclose(status);
	return swapped > 0;
}

void seek_memory(struct seeker *s, const char *process)
{
	char path[64], where[512], *line = NULL;
	unsigned int major, minor;
	size_t capacity = 0;
	int memory, pagemap, name;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/mem", process);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/pagemap", process);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/maps", process);
	maps = fopen(path, "re");
	if (memory < 0 || pagemap < 0 || !maps)
		fprintf(s->found, "! memory %s\n", process);
	while (memory >= 0 && pagemap >= 0 && maps && getline(&line, &capacity, maps) > 0) {
		struct region region = { .where = where };

		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%lx-%lx %*s %*s %x:%x %*s %n", &region.start, &region.end, &major, &minor, &name) != 4 ||
		    !strcmp(line + name, "[vsyscall]"))
			continue;
		region.has_device = major != 0;
		region.of_kernel = line[name] == '[' && line[name + 1] == 'v';
		snprintf(where, sizeof(where), "memory %s %s", process, line[name] ? line + name : "anonymous");
		search_region(s, memory, pagemap, &region, has_swapped(process));
	}
	free(line);
	if (maps)
		fclose(maps);
	close(memory);
	close(pagemap);
}

void seek_registers(struct seeker *s, pid_t thread, const char *where)
{
	const int sets[] = { NT_PRSTATUS, NT_X86_XSTATE };

	if (ptrace(PTRACE_SEIZE, thread, 0, 0)) {
		fprintf(s->found, "! %s\n", where);
		return;
	}
	if (!ptrace(PTRACE_INTERRUPT, thread, 0, 0) && waitpid(thread, NULL, __WALL) == thread)
		for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
			struct iovec area = { s->buffer, sizeof(s->buffer) };

			if (ptrace(PTRACE_GETREGSET, thread, sets[i], &area))
				fprintf(s->found, "! %s\n", where);
			else
				seek_bytes(s, s->buffer, area.iov_len, area.iov_len, where, 0);
		}
	ptrace(PTRACE_DETACH, thread, 0, 0);
}
