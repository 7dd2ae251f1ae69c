/* Dirties: nothing: its threads sit in system calls of every restartable sort, which a rewind must make again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <dirent.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <time.h>

static void *in_call(void *which)
{
	struct timespec long_time = { 1000000, 0 };
	struct epoll_event event;
	int never[2], poller = epoll_create1(0);
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	MUST(!pipe(never));
	pthread_mutex_lock(&mutex);
	for (;;)
		switch ((intptr_t)which) {
		case 0: nanosleep(&long_time, NULL); break;
		case 1: poll(NULL, 0, 1000000000); break;
		case 2: epoll_wait(poller, &event, 1, -1); break;
		case 3: MUST(read(never[0], &event, 1) == 1); break;
		default: pthread_mutex_lock(&mutex);
		}
	return NULL;
}

/* True: one of the threads is not asleep yet, but for the one that asks. */
static bool is_any_awake(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int awake = 0;

	MUST(tasks);
	for (struct dirent *entry; (entry = readdir(tasks));) {
		char path[300], state = 0;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stat", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		awake += fscanf(file, "%*d (%*[^)]) %c", &state) == 1 && state != 'S';
		fclose(file);
	}
	closedir(tasks);
	return awake > 1;
}

static void prepare(void)
{
	pthread_t thread;

	for (intptr_t which = 0; which < 5; which++)
		MUST(!pthread_create(&thread, NULL, in_call, (void *)which));
	while (is_any_awake())
		usleep(500);
}

static void change(void)
{
}
