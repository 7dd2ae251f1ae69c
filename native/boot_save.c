/* A template is written to a file. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct writer {
	int fd;
	char *bytes;
	uint64_t length, capacity;
};

static int write_all(int fd, const void *bytes, uint64_t length, struct rw_error *error)
{
	const char *at = bytes;

	while (length) {
		ssize_t written = write(fd, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return rw_fail(error, RW_SYSTEM, written < 0 ? errno : ENOSPC, "cannot write a template");
		at += written;
		length -= (uint64_t)written;
	}
	return 0;
}

static int put(struct writer *writer, const void *bytes, uint64_t length, struct rw_error *error)
{
	if (rw_reserve(&writer->bytes, &writer->capacity, writer->length + length, 1))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	if (length)
		memcpy(writer->bytes + writer->length, bytes, length);
	writer->length += length;
	return 0;
}

static uint64_t length_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static int put_head(struct writer *writer, const struct rw_process *template, struct rw_error *error)
{
	const struct image *image = template->image;
	/* Of all its bytes, and not only the members': the file tells nothing else of our memory. */
	struct template_head *head cleanup_(rw_free) = calloc(1, sizeof(*head));

	if (!head)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	memcpy(head->magic, TEMPLATE_MAGIC, sizeof(TEMPLATE_MAGIC));
	head->version = TEMPLATE_VERSION;
	head->rung = template->rung;
	head->thread_size = sizeof(struct thread);
	head->descriptor_size = sizeof(struct descriptor);
	head->threads = image->thread_count;
	head->descriptors = image->descriptor_count;
	head->maps = length_of(image->maps);
	head->flags = length_of(image->flags);
	head->status = length_of(image->kernel.status);
	head->runs = image->extent_count;
	head->pages = image->pages_saved;
	head->size = image->size;
	head->code = image->code;
	head->table = image->table;
	head->window = image->window;
	head->umask = image->kernel.umask;
	head->inside = image->kernel.inside;
	head->origin = image->origin;
	head->origin.limits.auxv = NULL;
	return put(writer, head, sizeof(*head), error);
}

static int put_threads(struct writer *writer, const struct image *image, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < image->thread_count && !failed; i++) {
		struct thread thread = image->threads[i];

		thread.xstate = NULL;
		failed = put(writer, &thread, sizeof(thread), error);
		if (!failed)
			failed = put(writer, image->threads[i].xstate, thread.xstate_length, error);
	}
	return failed;
}

static int put_descriptors(struct writer *writer, const struct image *image, struct rw_error *error)
{
	int failed = 0;

	for (uint32_t i = 0; i < image->descriptor_count && !failed; i++) {
		struct descriptor descriptor = image->descriptors[i];
		const struct descriptor_texts texts = { length_of(descriptor.info), length_of(descriptor.path) };

		descriptor.info = descriptor.path = NULL;
		failed = put(writer, &descriptor, sizeof(descriptor), error);
		if (!failed)
			failed = put(writer, &texts, sizeof(texts), error);
		if (!failed)
			failed = put(writer, image->descriptors[i].info, texts.info, error);
		if (!failed)
			failed = put(writer, image->descriptors[i].path, texts.path, error);
	}
	return failed;
}

static int put_runs(struct writer *writer, const struct image *image, struct rw_error *error)
{
	int failed = 0;

	for (uint64_t i = 0; i < image->extent_count && !failed; i++)
		failed = put(writer, &(struct page_run){ image->extents[i].start, image->extents[i].end }, sizeof(struct page_run),
			     error);
	return failed;
}

static int save(struct writer *writer, const struct rw_process *template, struct rw_error *error)
{
	const struct image *image = template->image;
	int failed = put_head(writer, template, error);

	if (!failed)
		failed = put(writer, image->maps, length_of(image->maps), error);
	if (!failed)
		failed = put(writer, image->flags, length_of(image->flags), error);
	if (!failed)
		failed = put(writer, image->kernel.status, length_of(image->kernel.status), error);
	if (!failed)
		failed = put_threads(writer, image, error);
	if (!failed)
		failed = put_descriptors(writer, image, error);
	if (!failed)
		failed = put_runs(writer, image, error);
	if (!failed)
		failed = write_all(writer->fd, writer->bytes, writer->length, error);
	for (uint64_t i = 0; i < image->extent_count && !failed; i++)
		failed = write_all(writer->fd, image->pages + image->extents[i].offset,
				   image->extents[i].end - image->extents[i].start, error);
	return failed;
}

int rw_template_save(struct rw_process *template, int32_t fd, struct rw_error *error)
{
	struct writer writer = { .fd = fd };
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	failed = save(&writer, template, error);
	free(writer.bytes);
	return failed;
}
