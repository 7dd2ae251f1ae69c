/* Dirties: a new thread in 32-bit mode, for which an address ends after 32 bits: its own code lies where it would go. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static char *low;

static void prepare(void)
{
}

/* A far return to the code segment of 32-bit programs. */
static void *narrows(void *unused)
{
	__asm__ volatile("pushq $0x23\n pushq %0\n lretq" : : "r"(low + PAGE / 2) : "memory");
	return unused;
}

static void change(void)
{
	static const char end_all[] = "\xb8\xfc\0\0\0\xbb\x09\0\0\0\xcd\x80", for_ever[] = "\xeb\xfe";
	pthread_t thread;

	low = (char *)(uintptr_t)(uint32_t)injected("rewhisk-code");
	MUST(mmap(low, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == low);
	memcpy(low, end_all, sizeof(end_all));
	memcpy(low + PAGE / 2, for_ever, sizeof(for_ever));
	MUST(!pthread_create(&thread, NULL, narrows, NULL));
	usleep(1000);
}
