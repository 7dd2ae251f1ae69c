/* Dirties: the name alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/prctl.h>

static void prepare(void)
{
}

static void change(void)
{
	MUST(!prctl(PR_SET_NAME, "renamed"));
}
