/*
 * Dirties: the number of the CPU that the kernel keeps in a thread's rseq area, by moving to another one. Not the leader: that is
 * where injected code happens to run.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sched.h>
#include "other.h"

static cpu_set_t all;

/* There, and then allowed everywhere again: the kernel has no reason to move it back. */
static void move_to(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	do {
		MUST(!sched_setaffinity(0, sizeof(one), &one));
		MUST(!sched_setaffinity(0, sizeof(all), &all));
	} while (sched_getcpu() != cpu);
}

static void move_to_first(ucontext_t *unused)
{
	int cpu = 0;

	(void)unused;
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	move_to(cpu);
}

static void move_to_last(ucontext_t *unused)
{
	int cpu = CPU_SETSIZE - 1;

	(void)unused;
	while (!CPU_ISSET(cpu, &all))
		cpu--;
	move_to(cpu);
}

static void prepare(void)
{
	MUST(!sched_getaffinity(0, sizeof(all), &all));
	start_other();
	on_other(move_to_first);
}

static void change(void)
{
	on_other(move_to_last);
}
