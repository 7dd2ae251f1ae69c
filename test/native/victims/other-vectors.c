/* Dirties: vector registers of a thread other than the leader, the upper halves of wide ones as well. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "other.h"

/* Where the kernel's frame of a signal has them: sw_reserved.xfeatures, xstate_bv, and the upper halves of ymm0 to ymm15. */
enum { HAS = 472, IN_USE = 512, UPPER = 576, UPPER_SIZE = 256, WIDE = 4 };

static void run(ucontext_t *context)
{
	uint8_t *frame = (uint8_t *)context->uc_mcontext.fpregs;
	uint64_t *in_use = (uint64_t *)(void *)(frame + IN_USE);

	memset(context->uc_mcontext.fpregs->_xmm, 0x5a, sizeof(context->uc_mcontext.fpregs->_xmm));
	*in_use |= 2;
	if (!(*(uint64_t *)(void *)(frame + HAS) & WIDE))
		return;
	memset(frame + UPPER, 0xa5, UPPER_SIZE);
	*in_use |= WIDE;
}

static void prepare(void)
{
	start_other();
}

static void change(void)
{
	on_other(run);
}
