/* What the test build (-DRW_TEST) of the library offers beside rewind.h. Not part of librewind.so. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTING_H
#define TESTING_H

#include <stdint.h>

#define RW_TEST_API __attribute__((visibility("default")))

/* Leaves out this step as well from all rewinds to come; "": none any more. -ENOENT: there is no such step. */
RW_TEST_API int32_t rw_leave_out(const char *name);
/* Of the rewind's steps, in their order, some more than once; NULL behind the last. */
RW_TEST_API const char *rw_step_name(uint32_t i);
/* The step under way, or the last one; "" before the first. */
RW_TEST_API const char *rw_current_step(void);

#endif
