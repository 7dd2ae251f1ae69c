/* Has threads whose ids leave gaps, for others between them have ended; then each finds itself as it was, and makes another. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/syscall.h>

#define THREADS 6

static struct {
	pthread_t thread;
	pthread_mutex_t held;
	pid_t tid;
	int asked, answered;
} all[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static _Thread_local pid_t own;

/* Of its mutex it is the owner by its id. */
static void *answers(void *argument)
{
	int i = (int)(intptr_t)argument;

	own = all[i].tid = (pid_t)syscall(SYS_gettid);
	MUST(!pthread_mutex_lock(&all[i].held) && !pthread_mutex_lock(&lock));
	for (;;) {
		all[i].answered = all[i].asked;
		MUST(!pthread_cond_broadcast(&news));
		while (all[i].answered == all[i].asked)
			pthread_cond_wait(&news, &lock);
		MUST(own == (pid_t)syscall(SYS_gettid) && all[i].tid == own);
		MUST(!pthread_mutex_lock(&all[i].held) && !pthread_mutex_unlock(&all[i].held));
	}
}

static void *ends(void *unused)
{
	return unused;
}

static void make_one_more(void)
{
	pthread_t thread;

	MUST(!pthread_create(&thread, NULL, ends, NULL) && !pthread_join(thread, NULL));
}

static void ask_all(void)
{
	MUST(!pthread_mutex_lock(&lock));
	for (int i = 0; i < THREADS; i++) {
		all[i].asked++;
		MUST(!pthread_cond_broadcast(&news));
		while (all[i].answered != all[i].asked)
			pthread_cond_wait(&news, &lock);
	}
	MUST(!pthread_mutex_unlock(&lock));
}

static void prepare(void)
{
	pthread_mutexattr_t recursive;

	MUST(!pthread_mutexattr_init(&recursive) && !pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE));
	for (intptr_t i = 0; i < THREADS; i++) {
		MUST(!pthread_mutex_init(&all[i].held, &recursive));
		MUST(!pthread_create(&all[i].thread, NULL, answers, (void *)i));
		for (intptr_t k = 0; k <= i; k++)
			make_one_more();
	}
	ask_all();
	usleep(20000);
}

static void change(void)
{
	ask_all();
	make_one_more();
}
