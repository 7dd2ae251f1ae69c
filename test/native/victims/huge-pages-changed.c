/* Dirties: whether it may be given huge pages. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/prctl.h>

static void prepare(void)
{
}

static void change(void)
{
	MUST(!prctl(PR_SET_THP_DISABLE, !prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0, 0, 0));
}
