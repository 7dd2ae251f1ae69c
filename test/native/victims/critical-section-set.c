/* Dirties: the leader's rseq area, so that the kernel takes injected code for a critical section and goes on elsewhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

#include <sys/rseq.h>

static struct rseq *area;
static struct rseq_cs section;

/* Where it goes on, after the signature that the kernel looks for: exit_group(9). */
extern const char evaded[];
__asm__(".long 0x53053053\nevaded: mov $231, %eax\n mov $9, %edi\n syscall");

static void *writes_without_end(void *unused)
{
	for (;;)
		*(volatile uint64_t *)&area->rseq_cs = (uintptr_t)&section;
	return unused;
}

static void prepare(void)
{
	area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void change(void)
{
	pthread_t thread;

	section.start_ip = injected("rewhisk-code");
	section.post_commit_offset = PAGE;
	section.abort_ip = (uintptr_t)evaded;
	MUST(!pthread_create(&thread, NULL, writes_without_end, NULL));
	usleep(1000);
}
