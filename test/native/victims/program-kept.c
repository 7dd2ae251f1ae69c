/* Dirties: all of it: the process executes another program, while a child keeps its memory alive. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sched.h>

static char stack[65536];
static pid_t parent;

static int stays(void *unused)
{
	while (getppid() == parent)
		usleep(10000);
	return unused != NULL;
}

static void prepare(void)
{
	if (getenv("AGAIN") && write(4, "r", 1) == 1)
		pause();
}

static void change(void)
{
	parent = getpid();
	MUST(clone(stays, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL) > 0 && !setenv("AGAIN", "1", 1));
	execl("/proc/self/exe", "again", (char *)NULL);
}
