/* Calls JavaScript while a descriptor can be read, without reading it and without changing how it is read. */

/*
 * Node itself offers sockets and pipes, which read ahead, make the descriptor non-blocking and close it in the end. The
 * channel must stay as it is: between activations the main thread blocks in read(2) on it.
 *
 * The few declarations of Node-API and libuv that are needed are repeated here (both are stable ABIs), so that the addon
 * builds without Node's headers and loads into any Node from 18 on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_ref__ *napi_ref;
typedef struct napi_handle_scope__ *napi_handle_scope;
typedef struct napi_async_context__ *napi_async_context;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
typedef int napi_status; /* 0 is napi_ok */

typedef struct uv_loop_s uv_loop_t;
typedef struct uv_poll_s uv_poll_t;
typedef struct uv_handle_s uv_handle_t;
typedef void (*uv_poll_cb)(uv_poll_t *poll, int status, int events);
#define UV_POLL 8 /* in uv_handle_type */
#define UV_READABLE 1

extern napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback call,
					void *data, napi_value *result);
extern napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv,
				    napi_value *this_arg, void **data);
extern napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t *result);
extern napi_status napi_get_value_bool(napi_env env, napi_value value, bool *result);
extern napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *result);
extern napi_status napi_get_reference_value(napi_env env, napi_ref ref, napi_value *result);
extern napi_status napi_get_global(napi_env env, napi_value *result);
extern napi_status napi_open_handle_scope(napi_env env, napi_handle_scope *result);
extern napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope);
extern napi_status napi_make_callback(napi_env env, napi_async_context context, napi_value recv,
				      napi_value function, size_t argc, const napi_value *argv, napi_value *result);
extern napi_status napi_get_uv_event_loop(napi_env env, uv_loop_t **loop);
extern napi_status napi_throw_error(napi_env env, const char *code, const char *message);

extern size_t uv_handle_size(int type);
extern void *uv_handle_get_data(const uv_handle_t *handle);
extern void uv_handle_set_data(uv_handle_t *handle, void *data);
extern int uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd);
extern int uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback);
extern int uv_poll_stop(uv_poll_t *poll);

#define EXPORTED __attribute__((visibility("default")))

/* One watched descriptor; lives as long as the process. */
struct watcher {
	napi_env env;
	napi_ref callback;
	uv_poll_t *poll;
};

static napi_value failure(napi_env env, const char *message)
{
	(void)napi_throw_error(env, "ERR_WATCH", message);
	return NULL;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watcher *watcher = uv_handle_get_data((uv_handle_t *)poll);
	napi_env env = watcher->env;
	napi_handle_scope scope = NULL;
	napi_value callback = NULL;
	napi_value global = NULL;

	(void)status; /* whatever it is, the read that follows tells */
	(void)events;
	if (napi_open_handle_scope(env, &scope) != 0)
		return;
	/* The callback throws nothing: an error ends the process in JavaScript. */
	if (napi_get_reference_value(env, watcher->callback, &callback) == 0 && napi_get_global(env, &global) == 0)
		(void)napi_make_callback(env, NULL, global, callback, 0, NULL, NULL);
	(void)napi_close_handle_scope(env, scope);
}

/* watch(on): starts or stops calling. While it is on, the event loop does not end. */
static napi_value watch(napi_env env, napi_callback_info info)
{
	size_t argc = 1;
	napi_value on_value = NULL;
	void *data = NULL;
	struct watcher *watcher;
	bool on = false;

	if (napi_get_cb_info(env, info, &argc, &on_value, NULL, &data) != 0 ||
	    napi_get_value_bool(env, on_value, &on) != 0)
		return failure(env, "watch(on): on is no boolean");
	watcher = data;
	if ((on ? uv_poll_start(watcher->poll, UV_READABLE, on_readable) : uv_poll_stop(watcher->poll)) != 0)
		return failure(env, "the descriptor cannot be watched");
	return NULL;
}

/* libuv makes the descriptor non-blocking and has no need of it. */
static int poll_blocking(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (uv_poll_init(loop, poll, fd) != 0)
		return -EINVAL;
	return fcntl(fd, F_SETFL, flags) != 0 ? -errno : 0;
}

/* createWatch(fd, callback): gives the function above. Nothing is watched yet. */
static napi_value create_watch(napi_env env, napi_callback_info info)
{
	size_t argc = 2;
	napi_value argv[2] = { NULL, NULL };
	napi_value result = NULL;
	uv_loop_t *loop = NULL;
	int32_t fd = -1;
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	uv_poll_t *poll = calloc(1, uv_handle_size(UV_POLL));

	if (watcher == NULL || poll == NULL)
		goto fail;
	*watcher = (struct watcher){ .env = env, .poll = poll };
	if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != 0 ||
	    napi_get_value_int32(env, argv[0], &fd) != 0 || napi_get_uv_event_loop(env, &loop) != 0 ||
	    napi_create_reference(env, argv[1], 1, &watcher->callback) != 0 ||
	    napi_create_function(env, "watch", sizeof("watch") - 1, watch, watcher, &result) != 0 ||
	    poll_blocking(loop, poll, fd) != 0)
		goto fail;
	uv_handle_set_data((uv_handle_t *)poll, watcher);
	return result;
fail:
	/* Not freed: libuv may know the handle already, and the process ends here. */
	return failure(env, "createWatch(fd, callback): the descriptor cannot be watched");
}

EXPORTED int32_t node_api_module_get_api_version_v1(void);
EXPORTED napi_value napi_register_module_v1(napi_env env, napi_value exports);

int32_t node_api_module_get_api_version_v1(void)
{
	return 8;
}

/* The module is createWatch itself. */
napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function = NULL;

	(void)exports;
	if (napi_create_function(env, "createWatch", sizeof("createWatch") - 1, create_watch, NULL, &function) != 0)
		return NULL;
	return function;
}
