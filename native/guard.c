/* The guard: outlives the invoker for a moment, to remove the cgroups that its sudden death would leave behind. */
/* SPDX-License-Identifier: Apache-2.0 */

/*
 * guard FOLDER...      started with one end of a socket as standard input, whose other end nobody but the invoker has
 *
 * At the end of input, which comes with the invoker's end whatever its cause, each FOLDER is removed, with the folders in it
 * and the two above it: those of the containers, of the instance, of rewhisk. A cgroup that holds a process cannot be
 * removed; containers die with the invoker, so there is only a moment to wait. What cannot be removed by then is left to the
 * next start.
 */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES 190
#define PAUSE_NS 5000000L
#define LEVELS_ABOVE 2

static void await_end_of_input(void)
{
	char byte;
	ssize_t got;

	do
		got = read(STDIN_FILENO, &byte, 1);
	while (got > 0 || (got < 0 && errno == EINTR));
}

/* The kernel's own files in a cgroup are no obstacle, and go with it. */
static bool is_gone(const char *folder)
{
	return rmdir(folder) == 0 || errno == ENOENT;
}

static void remove_inner(const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *open = opendir(folder);

	if (!open)
		return;
	while ((entry = readdir(open)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < (int)sizeof(path))
			(void)rmdir(path);
	closedir(open);
}

/* Other lives and other instances may be there: then these stay. */
static void remove_above(char *folder)
{
	for (int level = 0; level < LEVELS_ABOVE; level++) {
		char *slash = strrchr(folder, '/');

		if (!slash)
			return;
		*slash = '\0';
		if (!is_gone(folder))
			return;
	}
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	bool all_gone = false;

	await_end_of_input();
	for (int i = 0; i < TRIES && !all_gone; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		all_gone = true;
		for (int k = 1; k < argc; k++) {
			remove_inner(argv[k]);
			all_gone = is_gone(argv[k]) && all_gone;
		}
	}
	for (int k = 1; k < argc; k++)
		remove_above(argv[k]);
	return all_gone ? 0 : 1;
}
