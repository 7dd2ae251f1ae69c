/* Gives OpenSSL's generator fresh kernel entropy, and JavaScript a fresh number: what a rewound Node lacks. */

/*
 * A rewind puts OpenSSL's generator back to where it was at the checkpoint, and no fork check notices. So the
 * proxy calls reseed() at each init, before any user code.
 *
 * The few Node-API declarations needed are repeated here (they are a stable ABI, version 1), so that the addon
 * builds without Node's headers and loads into any Node from 18 on. RAND_add comes from the process itself:
 * Node exports the OpenSSL it carries, or is linked with the system's. Nothing here needs a glibc newer than 2.25, whatever
 * it is built with: images bring their own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env env, napi_callback_info info);
typedef int napi_status; /* 0 is napi_ok */

extern napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback call,
					void *data, napi_value *result);
extern napi_status napi_create_uint32(napi_env env, uint32_t value, napi_value *result);
extern napi_status napi_throw_error(napi_env env, const char *code, const char *message);

#define ENTROPY_BYTES 48 /* 384 bits: the seed length of OpenSSL's AES-256 generator */
#define EXPORTED __attribute__((visibility("default")))

extern void RAND_add(const void *bytes, int count, double entropy) __attribute__((weak));

static int fill(void *bytes, size_t count)
{
	size_t have = 0;

	while (have < count) {
		ssize_t got = getrandom((char *)bytes + have, count - have, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		have += (size_t)got;
	}
	return 0;
}

/* reseed(): mixes kernel entropy into OpenSSL's generators, gives a fresh integer in 1 .. 2^31-1. */
static napi_value reseed(napi_env env, napi_callback_info info)
{
	unsigned char entropy[ENTROPY_BYTES];
	uint32_t number = 0;
	napi_value result = NULL;

	(void)info;
	if (fill(entropy, sizeof(entropy)) != 0) {
		(void)napi_throw_error(env, "ERR_NO_ENTROPY", "getrandom failed: no fresh entropy for this activation");
		return NULL;
	}
	RAND_add(entropy, ENTROPY_BYTES, ENTROPY_BYTES);
	explicit_bzero(entropy, sizeof(entropy));

	while (number == 0) {
		if (fill(&number, sizeof(number)) != 0) {
			(void)napi_throw_error(env, "ERR_NO_ENTROPY", "getrandom failed: no seed for Math.random");
			return NULL;
		}
		number &= 0x7fffffff;
	}
	if (napi_create_uint32(env, number, &result) != 0)
		return NULL;
	return result;
}

EXPORTED int32_t node_api_module_get_api_version_v1(void);
EXPORTED napi_value napi_register_module_v1(napi_env env, napi_value exports);

int32_t node_api_module_get_api_version_v1(void)
{
	return 8;
}

/* The module is the function itself. */
napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
	napi_value function = NULL;

	(void)exports;
	if (RAND_add == NULL) {
		(void)napi_throw_error(env, "ERR_NO_RAND_ADD", "this Node exports no RAND_add: OpenSSL cannot be reseeded");
		return NULL;
	}
	if (napi_create_function(env, "reseed", sizeof("reseed") - 1, reseed, NULL, &function) != 0)
		return NULL;
	return function;
}
