/* Tells whether an init has left what an action checkpoint must not hold: drawn numbers, or work that may yet draw some. */

/*
 * While it watches, OpenSSL's generators are asked through a method that notes it. Whatever draws from OpenSSL, in whichever
 * thread and under whichever name (keys, tickets, unique ids, V8's own seeds), comes through there. A second look at the
 * process tells what cannot be noted: code that was loaded, threads that were made, requests that are not yet done.
 *
 * The declarations needed of Node-API, libuv and OpenSSL are repeated here, as in reseed.c; all are stable. Nothing here needs a
 * glibc newer than 2.25.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
typedef int napi_status; /* 0 is napi_ok */

extern napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback call,
					void *data, napi_value *result);
extern napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv,
				    napi_value *this_arg, void **data);
extern napi_status napi_get_value_bool(napi_env env, napi_value value, bool *result);
extern napi_status napi_get_boolean(napi_env env, bool value, napi_value *result);
extern napi_status napi_throw_error(napi_env env, const char *code, const char *message);

/* The beginning of uv_loop_t, which is public. */
struct uv_loop {
	void *data;
	unsigned int active_handles;
	void *handle_queue[2];
	union {
		void *unused;
		unsigned int count;
	} active_reqs;
};
extern napi_status napi_get_uv_event_loop(napi_env env, struct uv_loop **loop);

struct rand_method {
	int (*seed)(const void *bytes, int count);
	int (*bytes)(unsigned char *bytes, int count);
	void (*cleanup)(void);
	int (*add)(const void *bytes, int count, double entropy);
	int (*pseudorand)(unsigned char *bytes, int count);
	int (*status)(void);
};
extern const struct rand_method *RAND_get_rand_method(void) __attribute__((weak));
extern int RAND_set_rand_method(const struct rand_method *method) __attribute__((weak));

#define EXPORTED __attribute__((visibility("default")))
#define MOST_THREADS 64

/* What the process was when the watching began. */
static struct {
	const struct rand_method *method;
	unsigned long long loaded;
	long threads[MOST_THREADS];
	size_t thread_count;
	bool is_complete; /* false: something of it could not be learnt */
} before;

static struct rand_method noting;
static atomic_bool is_drawn;

static int note_bytes(unsigned char *bytes, int count)
{
	atomic_store(&is_drawn, true);
	return before.method->bytes(bytes, count);
}

static int note_pseudorand(unsigned char *bytes, int count)
{
	atomic_store(&is_drawn, true);
	return before.method->pseudorand(bytes, count);
}

/* How many objects were loaded in the life of the process. */
static int read_loaded(struct dl_phdr_info *info, size_t size, void *loaded)
{
	(void)size;
	*(unsigned long long *)loaded = info->dlpi_adds;
	return 1;
}

/* Not strtol, whose newest form an older C library does not have. */
static long number_of(const char *digits)
{
	long number = 0;

	while (*digits >= '0' && *digits <= '9')
		number = number * 10 + (*digits++ - '0');
	return number;
}

/* The ids of the threads, `most` of them at most; their number, -1 where that cannot be learnt. */
static int read_threads(long *threads, size_t most)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	size_t count = 0;

	if (folder == NULL)
		return -1;
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (count == most)
			break;
		threads[count++] = number_of(entry->d_name);
	}
	(void)closedir(folder);
	return entry == NULL ? (int)count : -1;
}

static bool has_new_thread(void)
{
	long threads[MOST_THREADS];
	int count = read_threads(threads, MOST_THREADS);

	for (int i = 0; i < count; i++) {
		size_t at = 0;

		while (at < before.thread_count && before.threads[at] != threads[i])
			at++;
		if (at == before.thread_count)
			return true;
	}
	return count < 0;
}

static void begin(void)
{
	int count = read_threads(before.threads, MOST_THREADS);

	atomic_store(&is_drawn, false);
	before.is_complete = false;
	before.method = NULL;
	(void)dl_iterate_phdr(read_loaded, &before.loaded);
	if (count < 0 || RAND_get_rand_method == NULL || RAND_set_rand_method == NULL)
		return;
	before.thread_count = (size_t)count;
	before.method = RAND_get_rand_method();
	if (before.method == NULL || before.method->bytes == NULL || before.method->pseudorand == NULL)
		return;
	noting = *before.method;
	noting.bytes = note_bytes;
	noting.pseudorand = note_pseudorand;
	before.is_complete = RAND_set_rand_method(&noting) == 1;
}

/* True: nothing was drawn, and nothing is under way that may yet draw. */
static bool end(const struct uv_loop *loop)
{
	unsigned long long loaded = 0;
	bool is_ours = before.is_complete && RAND_get_rand_method() == &noting;

	if (is_ours && RAND_set_rand_method(before.method) != 1)
		return false;
	(void)dl_iterate_phdr(read_loaded, &loaded);
	/* The threads come last: what they have drawn before they ended is noted. */
	return is_ours && loaded == before.loaded && loop->active_reqs.count == 0 && !has_new_thread() &&
	       !atomic_load(&is_drawn);
}

/* watchDraws(true) begins, and gives true; watchDraws(false) ends, and says whether nothing was drawn. */
static napi_value watch_draws(napi_env env, napi_callback_info info)
{
	size_t argc = 1;
	napi_value on_value = NULL;
	napi_value result = NULL;
	struct uv_loop *loop = NULL;
	bool on = false;
	bool is_quiet = true;

	if (napi_get_cb_info(env, info, &argc, &on_value, NULL, NULL) != 0 ||
	    napi_get_value_bool(env, on_value, &on) != 0 || napi_get_uv_event_loop(env, &loop) != 0) {
		(void)napi_throw_error(env, "ERR_DRAWS", "watchDraws(on): on is no boolean");
		return NULL;
	}
	if (on)
		begin();
	else
		is_quiet = end(loop);
	return napi_get_boolean(env, is_quiet, &result) == 0 ? result : NULL;
}

EXPORTED int32_t node_api_module_get_api_version_v1(void);
EXPORTED napi_value napi_register_module_v1(napi_env env, napi_value exports);

int32_t node_api_module_get_api_version_v1(void)
{
	return 8;
}

/* The module is watchDraws itself. */
napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function = NULL;

	(void)exports;
	if (napi_create_function(env, "watchDraws", sizeof("watchDraws") - 1, watch_draws, NULL, &function) != 0)
		return NULL;
	return function;
}
