/* The connections of a lean container's network namespace: ended, and forgotten by the connection tracking. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"
#include "lean.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most this much for one answer (netlink_dump). */
#define ANSWER_SIZE 32768
/* Not those that listen or are only bound: they end with their descriptors, and to look for them takes the kernel long. */
#define CONNECTED (1U << TCP_ESTABLISHED | 1U << TCP_SYN_SENT | 1U << TCP_SYN_RECV | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | \
		   1U << TCP_CLOSE_WAIT | 1U << TCP_LAST_ACK | 1U << TCP_CLOSING)
/* More are ended by the next call. */
#define ENDED_AT_ONCE 256

struct answer {
	_Alignas(struct nlmsghdr) char bytes[ANSWER_SIZE];
};

/*
 * SAFETY: the calling thread is in the other namespace for the moment between the two setns(). Were it to stay there, it
 * would go on to listen and connect in a container's network: nothing is left then but to end the process.
 */
static int open_there(int namespace, int protocol)
{
	int here cleanup_(rw_close) = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	if (here < 0 || setns(namespace, CLONE_NEWNET))
		return -errno;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		fd = -errno;
	if (setns(here, CLONE_NEWNET))
		abort();
	return fd;
}

int lean_open_network(int32_t namespace, int32_t *sockets, int32_t *flows, struct rw_error *error)
{
	int opened cleanup_(rw_close) = open_there(namespace, NETLINK_SOCK_DIAG);
	int fd;

	if (opened < 0)
		return rw_fail(error, RW_SYSTEM, -opened, "a socket to look at sockets of another namespace");
	fd = open_there(namespace, NETLINK_NETFILTER);
	if (fd < 0)
		return rw_fail(error, RW_SYSTEM, -fd, "a socket for another namespace's connection tracking");
	*sockets = opened;
	*flows = fd;
	opened = -1;
	return 0;
}

static int ask(int fd, const void *request, size_t size)
{
	return send(fd, request, size, 0) == (ssize_t)size ? 0 : -errno;
}

/* The next message of the kernel's, its length, or -errno. */
static ssize_t receive(int fd, struct answer *answer)
{
	ssize_t got;

	do
		got = recv(fd, answer->bytes, sizeof(answer->bytes), 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* What the kernel says to a request that it only acknowledges: 0 or -errno. */
static int acknowledged(int fd, struct answer *answer)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)answer->bytes;
	const struct nlmsgerr *verdict = NLMSG_DATA(header);
	ssize_t got = receive(fd, answer);

	if (got < 0)
		return (int)got;
	return NLMSG_OK(header, got) && header->nlmsg_type == NLMSG_ERROR ? verdict->error : -EPROTO;
}

struct sought {
	struct inet_diag_req_v2 at[ENDED_AT_ONCE];
	unsigned int count;
};

/* Adds what one answer lists. 1: it was the last, 0: there are more, or -errno. */
static int take(const struct answer *answer, ssize_t got, struct sought *sought)
{
	size_t left = (size_t)got;

	for (const struct nlmsghdr *header = (const struct nlmsghdr *)answer->bytes; NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left)) {
		const struct inet_diag_msg *found = NLMSG_DATA(header);

		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(header))->error ?: -EPROTO;
		if (sought->count < ENDED_AT_ONCE)
			sought->at[sought->count++] = (struct inet_diag_req_v2){
				.sdiag_family = found->idiag_family, .sdiag_protocol = IPPROTO_TCP, .id = found->id
			};
	}
	return 0;
}

/*
 * By the older of the two requests: it alone lists all families at once, and the list takes long, for the kernel looks through a
 * table that all namespaces share. The answer is read to its end even where there is no room: what was left would be taken for
 * the next answer.
 */
static int seek(int fd, struct answer *answer, struct sought *sought)
{
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req what;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = TCPDIAG_GETSOCK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.what = { .idiag_states = CONNECTED },
	};
	int done = ask(fd, &request, sizeof(request));

	while (!done) {
		ssize_t got = receive(fd, answer);

		done = got < 0 ? (int)got : take(answer, got, sought);
	}
	return done < 0 ? done : 0;
}

/* It may have ended by itself meanwhile; a kernel that cannot end it leaves that to time. */
static int end(int fd, const struct inet_diag_req_v2 *what, struct answer *answer)
{
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 what;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DESTROY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.what = *what,
	};
	int failed = ask(fd, &request, sizeof(request)) ?: acknowledged(fd, answer);

	return failed == -ENOENT || failed == -EOPNOTSUPP ? 0 : failed;
}

int lean_end_connections(int32_t sockets, struct rw_error *error)
{
	struct sought sought = { .count = 0 };
	struct answer answer;
	int failed = seek(sockets, &answer, &sought);

	for (unsigned int i = 0; i < sought.count && !failed; i++)
		failed = end(sockets, &sought.at[i], &answer);
	return failed ? rw_fail(error, RW_SYSTEM, -failed, "end connections") : 0;
}

int lean_forget_flows(int32_t flows, struct rw_error *error)
{
	const struct {
		struct nlmsghdr header;
		struct nfgenmsg what;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.what = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
	};
	struct answer answer;
	int failed = ask(flows, &request, sizeof(request)) ?: acknowledged(flows, &answer);

	return failed ? rw_fail(error, RW_SYSTEM, -failed, "forget tracked connections") : 0;
}
