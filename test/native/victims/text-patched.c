/* Dirties: the program's own text, patched before the checkpoint and again after it, through mprotect. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void __attribute__((aligned(4096), noinline)) patched(void)
{
	__asm__ volatile("nop\n\tnop\n\tnop\n\tnop");
}

static void change(void)
{
	char *text = (char *)((uintptr_t)patched & ~(PAGE - 1));

	patched();
	MUST(!mprotect(text, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	text[PAGE - 1] = (char)(text[PAGE - 1] + 1);
	MUST(!mprotect(text, PAGE, PROT_READ | PROT_EXEC));
}

static void prepare(void)
{
	change();
}
