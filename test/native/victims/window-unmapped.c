/* Dirties: the window on the image, from which pages are copied. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include "injected.h"

static void prepare(void)
{
}

static void change(void)
{
	MUST(!munmap((void *)injected("rewhisk-image"), PAGE));
}
