/* Errors, time and memory: the few things every file needs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int rw_fail(struct rw_error *error, enum rw_reason reason, int errnum, const char *format, ...)
{
	va_list args;
	size_t used;

	error->errnum = errnum;
	error->reason = reason;
	error->untouched = 1;
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	used = strlen(error->what);
	if (errnum)
		snprintf(error->what + used, sizeof(error->what) - used, ": %s", strerrordesc_np(errnum));
	return errnum ? -errnum : -EIO;
}

double rw_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

void rw_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void rw_free(void *pointer_to_pointer)
{
	void **pointer = pointer_to_pointer;

	free(*pointer);
	*pointer = NULL;
}

int rw_reserve(void *array, uint64_t *capacity, uint64_t need, size_t size)
{
	void **at = array;
	uint64_t grown = *capacity ? *capacity : 64;
	void *moved;

	if (need <= *capacity)
		return 0;
	while (grown < need)
		grown *= 2;
	moved = realloc(*at, grown * size);
	if (!moved)
		return -ENOMEM;
	*at = moved;
	*capacity = grown;
	return 0;
}
