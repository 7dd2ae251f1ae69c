/* Dirties: the number of the CPU that the kernel keeps in the thread's rseq area, by moving to another one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sched.h>

static int home;

static void prepare(void)
{
	home = sched_getcpu();
}

/* Anywhere else, and then allowed everywhere again: the kernel has no reason to move it back. */
static void change(void)
{
	cpu_set_t all, others;

	MUST(!sched_getaffinity(0, sizeof(all), &all));
	others = all;
	CPU_CLR(home, &others);
	if (CPU_COUNT(&others))
		MUST(!sched_setaffinity(0, sizeof(others), &others));
	MUST(!sched_setaffinity(0, sizeof(all), &all));
}
