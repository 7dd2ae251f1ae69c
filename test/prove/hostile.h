/* What the files of the hostile library share. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#define ARGUMENTS 6

/* A function of up to six integers that gives a result, or -errno. A table of them ends with an empty one. */
struct act {
	const char *name;
	long (*run)(const long a[ARGUMENTS]);
};

/* A scratch area that all acts share. */
#define SCRATCH_BYTES 65536
extern uint8_t hostile_memory[SCRATCH_BYTES];

extern const struct act memory_steps[], thread_steps[], signal_steps[], descriptor_steps[], process_steps[], file_steps[];
extern const struct act state_acts[], race_acts[];
