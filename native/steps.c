/* Named steps carried out in their order. A test build can leave one out, and tells which one is under way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#ifdef RW_TEST
#include <errno.h>
#include <string.h>

#include "testing.h"

#define LEFT_OUT_AT_MOST 64

static const char *left_out[LEFT_OUT_AT_MOST];
static size_t left_out_count;
static const char *under_way = "";

static void note_step(const char *name)
{
	under_way = name;
}

static bool is_left_out(const struct step *step)
{
	note_step(step->name);
	for (size_t i = 0; i < left_out_count; i++)
		if (!strcmp(step->name, left_out[i]))
			return true;
	return false;
}

int32_t rw_leave_out(const char *name)
{
	const struct step *step;

	if (!*name) {
		left_out_count = 0;
		return 0;
	}
	for (uint32_t i = 0; (step = rw_rewind_step(i)); i++)
		if (!strcmp(step->name, name) && left_out_count < LEFT_OUT_AT_MOST) {
			left_out[left_out_count++] = step->name;
			return 0;
		}
	return -ENOENT;
}

const char *rw_step_name(uint32_t i)
{
	const struct step *step = rw_rewind_step(i);

	return step ? step->name : NULL;
}

const char *rw_current_step(void)
{
	return under_way;
}
#else
static void note_step(const char *name)
{
	(void)name;
}

static bool is_left_out(const struct step *step)
{
	(void)step;
	return false;
}
#endif

int rw_run_steps(const struct step *steps, size_t count, struct rw_process *p, struct rw_error *error)
{
	int failed = 0;

	for (size_t i = 0; i < count && !failed; i++)
		if (!is_left_out(&steps[i]))
			failed = steps[i].run(p, error);
	note_step("");
	return failed;
}
