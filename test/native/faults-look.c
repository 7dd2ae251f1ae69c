/* Looks at a process from outside, by /proc alone: whether it lives, runs, waits, and is what it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../native/kernel_abi.h"
#include "faults.h"

#define PAGE 4096ULL
#define CHUNK 8192ULL

/* Text of a file in /proc; empty where there is none. Gives its length. */
static size_t read_file(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got = fd < 0 ? 0 : 1;

	while (got > 0 && length < size - 1) {
		got = read(fd, to + length, size - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	}
	to[length] = 0;
	if (fd >= 0)
		close(fd);
	return length;
}

static size_t read_of(pid_t pid, const char *name, char *to, size_t size)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return read_file(path, to, size);
}

/* The text behind `key` in /proc/PID/status. */
static const char *field(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : "";
}

static enum condition condition_of_thread(const char *status)
{
	char state = field(status, "\nState:\t")[0];

	if (state == 'Z' || state == 'X')
		return DEAD;
	if (state == 't' || atoi(field(status, "\nTracerPid:\t")))
		return TRACED;
	return state == 'T' ? GROUP_STOPPED : RUNNING;
}

const char *const look_conditions[] = { "dead", "running", "stopped", "stopped by ptrace" };

/* The worst of any thread; dead where every one is. */
enum condition look_condition(pid_t pid)
{
	enum condition worst = DEAD;
	char path[40], text[4096];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		char name[300];
		enum condition condition;

		snprintf(name, sizeof(name), "task/%s/status", entry->d_name);
		if (entry->d_name[0] == '.' || !read_of(pid, name, text, sizeof(text)))
			continue;
		condition = condition_of_thread(text);
		worst = condition > worst ? condition : worst;
	}
	if (folder)
		closedir(folder);
	return worst;
}

/* One that is about to die has the same text for a moment, but no longer sleeps. */
static bool sleeps_in(pid_t pid, const char *call)
{
	char text[256];

	read_of(pid, "syscall", text, sizeof(text));
	return !strncmp(text, call, strlen(call)) && read_of(pid, "stat", text, sizeof(text)) && strstr(text, ") S ");
}

bool look_waits_for_word(pid_t pid)
{
	return sleeps_in(pid, "0 0x5 ");
}

/* In ppoll(), of nothing. */
bool look_is_parked(pid_t pid)
{
	return sleeps_in(pid, "271 0x0 0x0 ") && look_condition(pid) == RUNNING;
}

pid_t look_for_child(pid_t pid)
{
	char name[40], text[256];

	snprintf(name, sizeof(name), "task/%d/children", pid);
	return read_of(pid, name, text, sizeof(text)) ? atoi(text) : 0;
}

/* That the leader reads from descriptor 3 says "0 0x3 ..."; a thread that is on its way says "running". */
bool look_waits(pid_t pid, bool all)
{
	bool waits = sleeps_in(pid, "0 0x3 ");
	char path[40], text[256];
	struct dirent *entry;
	DIR *folder;

	if (!waits || !all)
		return waits;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = opendir(path);
	while (folder && waits && (entry = readdir(folder))) {
		char name[300];

		snprintf(name, sizeof(name), "task/%s/syscall", entry->d_name);
		if (entry->d_name[0] != '.')
			waits = read_of(pid, name, text, sizeof(text)) && text[0] >= '0' && text[0] <= '9';
	}
	if (folder)
		closedir(folder);
	return waits;
}

/* Pages that are there; to read others would bring them into being. A page of zeroes counts like one that is not there. */
static uint64_t hash_page(pid_t pid, uint64_t address)
{
	static uint64_t page[PAGE / 8];
	struct iovec local = { page, PAGE }, remote = { (void *)address, PAGE };
	uint64_t hash[4] = { 0 }, any = 0;

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)PAGE)
		return 1;
	for (size_t i = 0; i < PAGE / 8; i++) {
		any |= page[i];
		hash[i % 4] = (hash[i % 4] ^ page[i]) * 0x9e3779b97f4a7c15ULL;
	}
	return any ? hash[0] ^ hash[1] * 3 ^ hash[2] * 5 ^ hash[3] * 7 ^ address : 0;
}

static uint64_t hash_memory(pid_t pid, int pagemap, uint64_t start, uint64_t end)
{
	static uint64_t entries[CHUNK];
	uint64_t hash = 0;

	for (uint64_t at = start; at < end; at += CHUNK * PAGE) {
		uint64_t pages = (end - at) / PAGE < CHUNK ? (end - at) / PAGE : CHUNK;

		MUST(pread(pagemap, entries, pages * 8, (off_t)(at / PAGE * 8)) == (ssize_t)(pages * 8));
		for (uint64_t i = 0; i < pages; i++)
			if (entries[i] & RW_PM_PRESENT ||
			    (entries[i] & RW_PM_SWAPPED && !(entries[i] & RW_PM_WRITE_PROTECTED)))
				hash ^= hash_page(pid, at + i * PAGE);
	}
	return hash;
}

static void look_at_memory(pid_t pid, struct look *look)
{
	char path[40];
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	MUST((pagemap = open(path, O_RDONLY | O_CLOEXEC)) >= 0);
	MUST(read_of(pid, "maps", look->maps, sizeof(look->maps)) < sizeof(look->maps) - 1);
	look->regions = 0;
	for (const char *line = look->maps; *line; line = strchr(line, '\n') + 1) {
		unsigned long start, end;
		char protection[5];

		MUST(sscanf(line, "%lx-%lx %4s", &start, &end, protection) == 3);
		if (memcmp(protection, "rw", 2) || protection[3] != 'p')
			continue;
		MUST(look->regions < REGIONS_AT_MOST);
		look->hashes[look->regions++] = hash_memory(pid, pagemap, start, end);
	}
	close(pagemap);
}

static void look_at_descriptors(pid_t pid, struct look *look)
{
	char path[40];
	size_t used = 0;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	MUST((folder = opendir(path)));
	while ((entry = readdir(folder))) {
		char name[300], link[300] = "";

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "/proc/%d/fd/%s", pid, entry->d_name);
		MUST(readlink(name, link, sizeof(link) - 1) > 0);
		used += (size_t)snprintf(look->descriptors + used, sizeof(look->descriptors) - used, "%s %s\n",
					 entry->d_name, link);
		snprintf(name, sizeof(name), "fdinfo/%s", entry->d_name);
		MUST(used < sizeof(look->descriptors) - 300);
		used += read_of(pid, name, look->descriptors + used, sizeof(look->descriptors) - used);
	}
	closedir(folder);
}

static void look_at_status(pid_t pid, struct look *look)
{
	static const char *const keys[] = { "\nUmask:", "\nThreads:", "\nSigBlk:", "\nSigIgn:", "\nSigCgt:", "\nSeccomp:" };
	char text[4096];
	size_t used = 0;

	read_of(pid, "status", text, sizeof(text));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const char *value = field(text, keys[i]);

		used += (size_t)snprintf(look->status + used, sizeof(look->status) - used, "%s%.*s", keys[i],
					 (int)strcspn(value, "\n"), value);
	}
}

void look_at(pid_t pid, struct look *look)
{
	look_at_memory(pid, look);
	look_at_descriptors(pid, look);
	look_at_status(pid, look);
	read_of(pid, "syscall", look->leader, sizeof(look->leader));
}

const char *look_difference(const struct look *was, const struct look *is)
{
	if (strcmp(was->maps, is->maps))
		return "its mappings";
	if (memcmp(was->hashes, is->hashes, was->regions * sizeof(*was->hashes)))
		return "its memory";
	if (strcmp(was->descriptors, is->descriptors))
		return "its descriptors";
	if (strcmp(was->status, is->status))
		return "its status";
	return strcmp(was->leader, is->leader) ? "where its leader waits" : NULL;
}

bool look_has_threads(pid_t pid)
{
	char text[4096];

	read_of(pid, "status", text, sizeof(text));
	return atoi(field(text, "\nThreads:\t")) > 1;
}

int look_descriptors_of_ours(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	MUST(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

int look_count_mappings(pid_t pid, const char *name)
{
	static char text[1 << 20];
	int count = 0;

	read_of(pid, "maps", text, sizeof(text));
	for (const char *at = text; (at = strstr(at, name)); at++)
		count++;
	return count;
}

uint64_t look_for_mapping(pid_t pid, const char *name)
{
	static char text[1 << 20];
	char *at;

	read_of(pid, "maps", text, sizeof(text));
	at = strstr(text, name);
	if (!at)
		return 0;
	*at = 0;
	at = strrchr(text, '\n');
	return strtoull(at ? at + 1 : text, NULL, 16);
}
