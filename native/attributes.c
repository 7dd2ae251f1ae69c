/* What is known of pipes and sockets themselves: mode, owner, times, and the name of a socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* A pipe belongs to the process that made it, which may change all of this. */
int rw_attributes_save(int fd, struct attributes *attributes, struct rw_error *error)
{
	socklen_t length = sizeof(attributes->name);
	struct stat file;

	memset(attributes, 0, sizeof(*attributes));
	if (fstat(fd, &file))
		return rw_fail(error, RW_SYSTEM, errno, "attributes of a descriptor");
	if (!S_ISFIFO(file.st_mode) && !S_ISSOCK(file.st_mode))
		return 0;
	attributes->mode = file.st_mode;
	attributes->owner = file.st_uid;
	attributes->group = file.st_gid;
	attributes->times[0] = file.st_atim;
	attributes->times[1] = file.st_mtim;
	if (!S_ISSOCK(file.st_mode))
		return 0;
	if (getsockname(fd, (struct sockaddr *)attributes->name, &length))
		return rw_fail(error, RW_SYSTEM, errno, "name of a socket");
	attributes->name_length = length;
	if (ioctl(fd, FIONREAD, &attributes->unread))
		attributes->unread = 0; /* one that listens */
	return 0;
}

int rw_attributes_compare(int fd, const struct attributes *was, bool *equal, struct rw_error *error)
{
	struct attributes is;
	int failed = rw_attributes_save(fd, &is, error);

	*equal = !failed && !memcmp(&is, was, sizeof(is));
	return failed;
}

/* Nobody has a reason to change mode, owner or name; no name can be taken back, nor what was received. */
int rw_check_attributes(struct rw_process *p, struct rw_error *error)
{
	for (uint32_t i = 0; i < p->image->descriptor_count; i++) {
		const struct descriptor *descriptor = &p->image->descriptors[i];
		const struct attributes *was = &descriptor->attributes;
		struct attributes is;
		int failed;

		if (!was->mode)
			continue;
		failed = rw_attributes_save(p->held[i], &is, error);
		if (failed)
			return failed;
		if (is.mode != was->mode || is.owner != was->owner || is.group != was->group)
			return rw_fail(error, RW_KERNEL_STATE, 0, "descriptor %d has another mode or owner", descriptor->fd);
		if (is.name_length != was->name_length || memcmp(is.name, was->name, sizeof(is.name)))
			return rw_fail(error, RW_KERNEL_STATE, 0, "socket %d has another name", descriptor->fd);
		if (is.unread != was->unread)
			return rw_fail(error, RW_KERNEL_STATE, 0, "socket %d has %d bytes unread", descriptor->fd, is.unread);
	}
	return 0;
}

int rw_attributes_adopt(struct rw_process *p, uint32_t index, struct rw_error *error)
{
	struct descriptor *descriptor = &p->image->descriptors[index];
	const struct attributes was = descriptor->attributes;
	struct attributes *is = &descriptor->attributes;
	int failed = rw_attributes_save(p->held[index], is, error);

	if (!failed && (is->mode != was.mode || is->unread != was.unread))
		failed = rw_fail(error, RW_DIFFERENCE, 0, "descriptor %d: mode %o and %d bytes unread, were %o and %d",
				 descriptor->fd, is->mode, is->unread, was.mode, was.unread);
	return failed;
}

/* Reading and writing change them as well. */
int rw_put_back_times(struct rw_process *p, struct rw_error *error)
{
	for (uint32_t i = 0; i < p->image->descriptor_count; i++) {
		const struct attributes *was = &p->image->descriptors[i].attributes;
		struct stat is;

		if (!was->mode)
			continue;
		if (fstat(p->held[i], &is) ||
		    ((memcmp(&is.st_atim, &was->times[0], sizeof(is.st_atim)) ||
		      memcmp(&is.st_mtim, &was->times[1], sizeof(is.st_mtim))) &&
		     futimens(p->held[i], was->times)))
			return rw_fail(error, RW_KERNEL_STATE, errno, "the times of descriptor %d cannot be put back",
				       p->image->descriptors[i].fd);
	}
	return 0;
}
