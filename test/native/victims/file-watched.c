/* Dirties: the list of watched files of a descriptor it had before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/inotify.h>

static int watcher;

static void prepare(void)
{
	MUST((watcher = inotify_init1(0)) >= 0);
}

static void change(void)
{
	MUST(inotify_add_watch(watcher, "/", IN_OPEN) >= 0);
}
