/* Grows its stack and its heap well beyond where they were, and the stack's end is still guarded. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <setjmp.h>
#include <sys/resource.h>

static sigjmp_buf back;
static char own_stack[65536];

static int deep(int depth)
{
	volatile char frame[PAGE];

	memset((char *)frame, depth, sizeof(frame));
	return depth ? deep(depth - 1) + frame[depth % PAGE] - (char)depth : 1;
}

static void too_deep(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void prepare(void)
{
	const stack_t stack = { .ss_sp = own_stack, .ss_size = sizeof(own_stack) };
	const struct sigaction action = { .sa_handler = too_deep, .sa_flags = SA_ONSTACK };

	MUST(!sigaltstack(&stack, NULL) && !sigaction(SIGSEGV, &action, NULL));
}

static void change(void)
{
	struct rlimit limit;
	char *top = sbrk(0);

	MUST(deep(300) == 1);
	MUST(!getrlimit(RLIMIT_STACK, &limit) && limit.rlim_cur <= 64 * MB);
	MUST(sigsetjmp(back, 1) || !deep((int)(limit.rlim_cur / PAGE) + 16));
	MUST(sbrk(3 * MB) == top);
	memset(top, 9, 3 * MB);
}
