/* System calls and tricks that JavaScript and Python have no words for: one library, loaded into either runtime. */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every act is a function of up to six integers that gives an integer: a result, or -errno. Python calls act() through
 * ctypes; Node loads the same file as an addon whose exports are one function, act(name, ...numbers). The few Node-API
 * declarations it needs are repeated here (they are a stable ABI), so that it builds without Node's headers.
 *
 * A name that is no act is a system call's, whose arguments the integers are; one that is neither is an error of the proof and
 * thrown, so that no proof takes it for a refusal. Structures and texts go by a scratch area.
 */
#include "canary.h"
#include "hostile.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static const struct {
	const char *name;
	long number;
} calls[] = {
#include "syscall_names.h"
};

/* Any system call by number, with five arguments. */
static long act_syscall(const long a[ARGUMENTS])
{
	long result = syscall(a[0], a[1], a[2], a[3], a[4], a[5]);

	return result < 0 ? -errno : result;
}

uint8_t hostile_memory[SCRATCH_BYTES] __attribute__((aligned(4096)));

/* What the C library's own generator gives: 53 bits, which every number of JavaScript's holds. */
static long act_arc4random(const long a[ARGUMENTS])
{
	uint64_t number;

	(void)a;
	arc4random_buf(&number, sizeof(number));
	return (long)(number >> 11);
}

/* Where the scratch area lies. */
static long act_memory(const long a[ARGUMENTS])
{
	(void)a;
	return (long)(intptr_t)hostile_memory;
}

/* Writes and reads four bytes of memory. */
static long act_poke(const long a[ARGUMENTS])
{
	*(volatile uint32_t *)a[0] = (uint32_t)a[1];
	return 0;
}

static long act_peek(const long a[ARGUMENTS])
{
	return *(const volatile uint32_t *)a[0];
}

/* Looks for the mark whose pieces are in /tmp/pieces; what it finds goes to /tmp/found. */
static long act_seek(const long a[ARGUMENTS])
{
	FILE *found = fopen("/tmp/found", "we");
	long result;

	(void)a;
	if (!found)
		return -errno;
	result = seek("/tmp/pieces", NULL, found);
	return fclose(found) ? -errno : result;
}

/* Spreads the mark of the environment's CANARY. Gives 0, or the number of the place that could not be reached. */
static long act_spread(const long a[ARGUMENTS])
{
	(void)a;
	return spread();
}

static const struct act acts[] = {
	{ "syscall", act_syscall },
	{ "arc4random", act_arc4random },
	{ "memory", act_memory },
	{ "poke", act_poke },
	{ "peek", act_peek },
	{ "seek", act_seek },
	{ "spread", act_spread },
	{ NULL, NULL },
};

/* Those of steps-of-fuzz/ are for the fuzzer. */
static const struct act *const tables[] = {
	acts, state_acts, race_acts, memory_steps, thread_steps, signal_steps, descriptor_steps, process_steps, file_steps,
};

/* No system call's result. */
#define NO_SUCH_ACT LONG_MIN

EXPORTED long act(const char *name, long a, long b, long c, long d, long e, long f);
long act(const char *name, long a, long b, long c, long d, long e, long f)
{
	const long arguments[ARGUMENTS] = { a, b, c, d, e, f };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct act *found = tables[i]; found->name; found++)
			if (!strcmp(found->name, name))
				return found->run(arguments);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, name)) {
			long result = syscall(calls[i].number, a, b, c, d, e, f);

			return result < 0 ? -errno : result;
		}
	return NO_SUCH_ACT;
}

/* -- as a Node addon -------------------------------------------------------------------------------------------------- */

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
typedef int napi_status; /* 0 is napi_ok */

/* Weak: Python has none of them. */
#define NODE_API extern __attribute__((weak)) napi_status
NODE_API napi_create_function(napi_env env, const char *name, size_t length, napi_callback call, void *data,
			      napi_value *result);
NODE_API napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments, napi_value *self,
			  void **data);
NODE_API napi_get_value_string_utf8(napi_env env, napi_value value, char *to, size_t size, size_t *length);
NODE_API napi_get_value_int64(napi_env env, napi_value value, int64_t *result);
NODE_API napi_create_int64(napi_env env, int64_t value, napi_value *result);
NODE_API napi_throw_error(napi_env env, const char *code, const char *message);

static napi_value act_from_javascript(napi_env env, napi_callback_info info)
{
	napi_value values[1 + ARGUMENTS], result = NULL;
	size_t count = 1 + ARGUMENTS, length;
	int64_t numbers[ARGUMENTS] = { 0 };
	char name[64];
	long done;

	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) ||
	    napi_get_value_string_utf8(env, values[0], name, sizeof(name), &length))
		return NULL;
	for (size_t i = 1; i < count && i <= ARGUMENTS; i++)
		if (napi_get_value_int64(env, values[i], &numbers[i - 1]))
			return NULL;
	done = act(name, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
	if (done == NO_SUCH_ACT)
		(void)napi_throw_error(env, name, "no act and no system call has this name");
	else
		(void)napi_create_int64(env, done, &result);
	return result;
}

EXPORTED int32_t node_api_module_get_api_version_v1(void);
int32_t node_api_module_get_api_version_v1(void)
{
	return 8;
}

EXPORTED napi_value napi_register_module_v1(napi_env env, napi_value exports);
napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function = NULL;

	(void)exports;
	(void)napi_create_function(env, "act", sizeof("act") - 1, act_from_javascript, NULL, &function);
	return function;
}
