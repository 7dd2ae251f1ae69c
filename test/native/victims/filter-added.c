/* Dirties: its seccomp filters: a kernel state that nothing undoes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static void prepare(void)
{
	MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void change(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}
