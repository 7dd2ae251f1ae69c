/* Dirties: itself: it exits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static void prepare(void)
{
}

static void change(void)
{
	_exit(0);
}
