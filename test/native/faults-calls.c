/* Notes each call that the library makes, and makes the chosen one go wrong or strikes the victim before it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../../native/testing.h"
#include "faults.h"

#define BURST 16
#define LOOKS_AT_MOST 20000
#define LOOKS_AT_LAUNCHER 100

struct watch *calls_watch;
static const void *watch_top;
static uint32_t aimed_calls;
static const char *step_before;

void calls_begin(struct watch *of, void *top)
{
	watch_top = top;
	aimed_calls = 0;
	step_before = rw_current_step();
	calls_watch = of;
}

void calls_end(void)
{
	calls_watch = NULL;
}

static void strike(const struct watch *at)
{
	const pid_t victim = at->victim;
	const int looks = at->is_launcher ? LOOKS_AT_LAUNCHER : LOOKS_AT_MOST;

	switch (at->aim.fault.kind) {
	case KILLED:
		kill(victim, SIGKILL);
		for (int i = 0; i < looks && look_condition(victim) != DEAD; i++)
			usleep(20);
		break;
	case DYING:
		kill(victim, SIGKILL);
		break;
	case STOPPED:
		kill(victim, SIGSTOP);
		break;
	case CONTINUED:
		kill(victim, SIGCONT);
		break;
	case SIGNALLED:
		for (int i = 0; i < BURST; i++)
			sigqueue(victim, IGNORED_SIGNAL, (union sigval){ i });
		break;
	case TRACER_KILLED:
		kill(getpid(), SIGKILL);
		break;
	case FAILS:
	case INTERRUPTED:
	case SHORT:
	case FAULT_KINDS:
		break;
	}
}

/* By way of the frame pointers, up to the caller of the library. */
static uint64_t follow_way(const char *function, const void *frame, uint64_t way[WAY_AT_MOST])
{
	const uintptr_t *at = frame;
	uint64_t hash = 14695981039346656037ULL;

	for (const char *letter = function; *letter; letter++)
		hash = (hash ^ (uint8_t)*letter) * 1099511628211ULL;
	memset(way, 0, WAY_AT_MOST * sizeof(*way));
	for (int i = 0; i < WAY_AT_MOST && (const void *)at < watch_top; i++) {
		way[i] = at[1];
		hash = (hash ^ at[1]) * 1099511628211ULL;
		at = (const uintptr_t *)at[0];
	}
	return hash;
}

static bool is_aimed_at(const struct aim *aim, const struct call *call)
{
	return aim->function ? !strcmp(aim->function, call->function) : aim->site == call->site;
}

const struct fault *calls_note(const char *function, const void *frame)
{
	struct watch *now = calls_watch;
	uint64_t way[WAY_AT_MOST];
	struct call call;

	if (!now)
		return NULL;
	call.function = function;
	/* What was the last step before the call is none of it: then it freezes, compares or thaws. */
	call.step = rw_current_step() == step_before ? "" : rw_current_step();
	call.site = follow_way(function, frame, way);
	if (now->recording && now->count < CALLS_AT_MOST)
		now->calls[now->count++] = call;
	if (now->recording || now->fired || !is_aimed_at(&now->aim, &call) || aimed_calls++ != now->aim.occurrence)
		return NULL;
	now->fired = true;
	memcpy(now->way, way, sizeof(way));
	if (now->aim.fault.kind <= SHORT)
		return &now->aim.fault;
	calls_watch = NULL; /* what strikes is not the library */
	strike(now);
	calls_watch = now;
	return NULL;
}
