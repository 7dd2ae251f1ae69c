/* A network namespace before its container is there: its settings, and a description that shows whether anybody has used it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"
#include "lean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define OWN_NAMESPACE "/proc/thread-self/ns/net"
#define OWN_FILES "/proc/thread-self/net"
#define DEEPEST 3
/* The kernel fills at most this much for one answer (netlink_dump). */
#define ANSWER_SIZE 32768

/*
 * A closed connection would keep its port from the next action for a minute, and what was learnt from it of the way to an
 * address (there are sixteen million of them on the loopback interface) for much longer. What routers say of the way is not
 * learnt either: packets may be split on it instead (ip_no_pmtu_disc 2). Interfaces that are added have no IPv6.
 */
static const char *const settings[][2] = {
	{ "ipv4/tcp_max_tw_buckets", "0" },
	{ "ipv4/tcp_no_metrics_save", "1" },
	{ "ipv4/tcp_fastopen", "0" },
	{ "ipv4/ip_no_pmtu_disc", "2" },
	{ "ipv4/conf/all/accept_redirects", "0" },
	{ "ipv4/conf/default/accept_redirects", "0" },
	{ "ipv6/conf/default/disable_ipv6", "1" },
};
#define SETTINGS (sizeof(settings) / sizeof(*settings))
#define TRACKED "netfilter/nf_conntrack_count"

static void setting_path(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "/proc/sys/net/%s", name);
}

static int forget_closed_connections(void)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		int fd cleanup_(rw_close) = -1;
		char path[PATH_MAX];

		setting_path(path, settings[i][0]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT && settings[i][0][3] == '6')
			continue; /* the kernel has no IPv6 at all */
		if (fd < 0 || write(fd, settings[i][1], 1) != 1)
			return -errno;
	}
	return 0;
}

static int bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd cleanup_(rw_close) = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	request.ifr_flags = IFF_UP | IFF_RUNNING;
	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

/*
 * SAFETY: as in lean_network.c: the calling thread is in the other namespace for a moment, and if it cannot come back nothing is
 * left but to end the process.
 */
static void come_back(const int *here)
{
	if (*here < 0)
		return;
	if (setns(*here, CLONE_NEWNET))
		abort();
	close(*here);
}

int lean_make_network(int32_t *namespace, struct rw_error *error)
{
	int own cleanup_(rw_close) = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	int here cleanup_(come_back) = -1;
	int failed, fd;

	if (own < 0 || unshare(CLONE_NEWNET))
		return rw_fail(error, RW_SYSTEM, errno, "make a network namespace");
	here = own;
	own = -1;
	failed = forget_closed_connections();
	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "settings of a network namespace");
	failed = bring_loopback_up();
	if (failed)
		return rw_fail(error, RW_SYSTEM, -failed, "loopback interface of a network namespace");
	fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return rw_fail(error, RW_SYSTEM, errno, "hold a network namespace");
	*namespace = fd;
	return 0;
}

/* Grows up to what the caller has room for; beyond that `failed` says so. */
struct text {
	char *bytes;
	uint64_t size, length;
	int failed;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	uint64_t room = text->size - text->length;
	va_list args;
	int wanted;

	va_start(args, format);
	wanted = vsnprintf(text->bytes + text->length, room, format, args);
	va_end(args);
	if (wanted < 0 || (uint64_t)wanted >= room)
		text->failed = -ENOSPC;
	else
		text->length += (uint64_t)wanted;
}

/* What cannot be read is described by why. */
static void add_file(struct text *text, const char *path, const char *name)
{
	int fd cleanup_(rw_close) = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;

	add(text, "== %s\n", name);
	while (!text->failed && fd >= 0) {
		if (text->length == text->size) {
			text->failed = -ENOSPC;
			return;
		}
		got = read(fd, text->bytes + text->length, text->size - text->length);
		if (got <= 0)
			break;
		text->length += (uint64_t)got;
	}
	if (fd < 0 || got < 0)
		add(text, "error %d\n", errno);
}

/*
 * Of the whole machine; or lists for which the kernel looks through tables that all namespaces share, and whose length is told by
 * "sockstat" and the number of tracked connections.
 */
static bool is_left_out(const char *name)
{
	static const char *const names[] = {
		"nf_conntrack", "protocols",	  "psched", "rt_acct", "rt_cache", "softnet_stat", "stat/arp_cache", "stat/ndisc_cache",
		"stat/rt_cache", "tcp",		  "tcp6",   "udp",     "udp6",	   "udplite",	   "udplite6",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void close_folder(DIR **folder)
{
	if (*folder)
		closedir(*folder);
}

/* `inner` is the folder below OWN_FILES, with a slash at its end, or nothing. */
static void add_folder(struct text *text, const char *inner, int depth)
{
	DIR *folder cleanup_(close_folder) = NULL;
	char path[PATH_MAX], name[NAME_MAX * DEEPEST];
	struct dirent *entry;

	snprintf(path, sizeof(path), OWN_FILES "/%s", inner);
	folder = opendir(path);
	if (!folder || depth > DEEPEST) {
		text->failed = folder ? -ELOOP : -errno;
		return;
	}
	while (!text->failed && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s%s%s", inner, entry->d_name, entry->d_type == DT_DIR ? "/" : "");
		snprintf(path, sizeof(path), OWN_FILES "/%s", name);
		if (entry->d_type == DT_DIR)
			add_folder(text, name, depth + 1);
		else if (!is_left_out(name))
			add_file(text, path, name);
	}
}

static void add_bytes(struct text *text, const struct rtattr *attribute)
{
	const unsigned char *bytes = RTA_DATA(attribute);

	add(text, " ");
	for (size_t i = 0; i < RTA_PAYLOAD(attribute); i++)
		add(text, "%02x", bytes[i]);
}

/* 1: it was the last message. */
static int add_neighbours_of(struct text *text, struct nlmsghdr *header, size_t left)
{
	for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
		const struct ndmsg *found = NLMSG_DATA(header);
		struct rtattr *attribute = (struct rtattr *)((char *)NLMSG_DATA(header) + NLMSG_ALIGN(sizeof(*found)));
		size_t room = header->nlmsg_len - NLMSG_SPACE(sizeof(*found));

		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(header))->error ?: -EPROTO;
		add(text, "%d %u %u %u", found->ndm_ifindex, found->ndm_family, found->ndm_state, found->ndm_flags);
		/* Its times are none of its being there. */
		for (; RTA_OK(attribute, room); attribute = RTA_NEXT(attribute, room))
			if (attribute->rta_type == NDA_DST || attribute->rta_type == NDA_LLADDR)
				add_bytes(text, attribute);
		add(text, "\n");
	}
	return 0;
}

/* All families', by netlink: /proc has those of IPv4 alone. */
static void add_neighbours(struct text *text)
{
	const struct {
		struct nlmsghdr header;
		struct ndmsg what;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETNEIGH, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	_Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
	int fd cleanup_(rw_close) = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int done = fd < 0 || send(fd, &request, sizeof(request), 0) != sizeof(request) ? -errno : 0;

	add(text, "== neighbours\n");
	while (!done) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);

		if (got < 0 && errno == EINTR)
			continue;
		done = got < 0 ? -errno : add_neighbours_of(text, (struct nlmsghdr *)answer, (size_t)got);
	}
	if (done < 0)
		text->failed = done;
}

static void add_setting(struct text *text, const char *name)
{
	char path[PATH_MAX];

	setting_path(path, name);
	add_file(text, path, name);
}

int lean_describe_network(int32_t namespace, char *bytes, uint64_t size, uint64_t *length, struct rw_error *error)
{
	struct text text = { .bytes = bytes, .size = size };
	int own cleanup_(rw_close) = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	int here cleanup_(come_back) = -1;

	if (own < 0 || setns(namespace, CLONE_NEWNET))
		return rw_fail(error, RW_SYSTEM, errno, "enter a network namespace");
	here = own;
	own = -1;
	add_folder(&text, "", 0);
	for (size_t i = 0; i < SETTINGS && !text.failed; i++)
		add_setting(&text, settings[i][0]);
	add_setting(&text, TRACKED);
	add_neighbours(&text);
	if (text.failed)
		return rw_fail(error, RW_SYSTEM, -text.failed, "describe a network namespace");
	*length = text.length;
	return 0;
}
