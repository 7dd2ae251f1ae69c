/* Dirties: descriptors opened and left, high and low, and flags and offsets of old ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

#include <sys/epoll.h>
#include <sys/socket.h>

static int file;

static void prepare(void)
{
	file = open("/proc/self/exe", O_RDONLY);
}

static void change(void)
{
	for (int i = 0; i < 50; i++)
		MUST(open("/dev/null", O_RDWR) >= 0);
	MUST(dup2(0, 900) == 900 && epoll_create1(0) >= 0 && socket(AF_INET, SOCK_STREAM, 0) >= 0);
	MUST(lseek(file, 100, SEEK_SET) == 100 && !fcntl(3, F_SETFD, FD_CLOEXEC) && !fcntl(file, F_SETFL, O_NOATIME));
}
