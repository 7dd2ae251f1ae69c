/* A template is made of the bytes of a file, none of which is believed: each number that is used as a place or a length is looked at. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DESCRIPTOR 1048576 /* the kernel's own limit by default */
#define MAX_SIZE (1ULL << 46)
#define BEYOND_TEXT 64 /* zeroes: the parser of maps looks a few bytes further than a line that is cut off */

int rw_template_refuse(const char *what, struct rw_error *error)
{
	return rw_fail(error, RW_UNSUPPORTED, EBADMSG, "the template's %s", what);
}

bool rw_template_take(struct reader *reader, void *to, uint64_t length)
{
	if (length > reader->left)
		return false;
	memcpy(to, reader->at, length);
	reader->at += length;
	reader->left -= length;
	return true;
}

/* *bytes: NULL where there are none. `beyond`: so many zeroes follow. */
static int take_bytes(struct reader *reader, void *bytes, uint64_t length, uint64_t beyond, struct rw_error *error)
{
	uint8_t **to = bytes;

	if (!length)
		return 0;
	if (length > reader->left)
		return rw_template_refuse("length", error);
	if (rw_reserve(bytes, &(uint64_t){ 0 }, length + beyond, 1))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	memset(*to + length, 0, beyond);
	return rw_template_take(reader, *to, length) ? 0 : rw_template_refuse("length", error);
}

/* Of exactly that length, with its NUL. */
static int take_text(struct reader *reader, char **text, uint64_t length, struct rw_error *error)
{
	int failed = take_bytes(reader, text, length, BEYOND_TEXT, error);

	if (failed || !length)
		return failed;
	return strnlen(*text, length) == length - 1 ? 0 : rw_template_refuse("text", error);
}

static int check_head(const struct template_head *head, struct rw_error *error)
{
	if (memcmp(head->magic, TEMPLATE_MAGIC, sizeof(TEMPLATE_MAGIC)) || head->version != TEMPLATE_VERSION ||
	    head->thread_size != sizeof(struct thread) || head->descriptor_size != sizeof(struct descriptor))
		return rw_template_refuse("format", error);
	if (head->rung < RW_WRITE_PROTECT || head->rung > RW_COPY_ALL)
		return rw_template_refuse("rung", error);
	if (!head->threads || head->threads > MAX_THREADS || head->descriptors > MAX_DESCRIPTOR)
		return rw_template_refuse("number of threads or descriptors", error);
	if (!head->maps || !head->flags || !head->status || head->status > STATUS_SIZE)
		return rw_template_refuse("texts", error);
	if (!head->size || head->size % PAGE || head->size > MAX_SIZE)
		return rw_template_refuse("size", error);
	if (strnlen(head->inside.cwd, CWD_SIZE) == CWD_SIZE)
		return rw_template_refuse("working folder", error);
	if (head->origin.auxiliary_length > AUXILIARY_SIZE || head->origin.barriers >> 32)
		return rw_template_refuse("origin", error);
	return head->origin.limits.exe_fd == (uint32_t)-1 && !head->origin.limits.auxv ? 0 : rw_template_refuse("limits", error);
}

static int check_thread(const struct thread *thread, struct rw_error *error)
{
	if (thread->inner <= 0 || thread->xstate_length > MAX_XSTATE || !thread->xstate_length)
		return rw_template_refuse("thread", error);
	return thread->inside.name[sizeof(thread->inside.name) - 1] ? rw_template_refuse("name of a thread", error) : 0;
}

static int take_threads(struct reader *reader, struct image *image, uint32_t count, struct rw_error *error)
{
	int failed = 0;

	image->threads = calloc(count, sizeof(*image->threads));
	if (!image->threads)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	for (uint32_t i = 0; i < count && !failed; i++) {
		struct thread *thread = &image->threads[i];

		if (!rw_template_take(reader, thread, sizeof(*thread)))
			return rw_template_refuse("length", error);
		thread->xstate = NULL;
		image->thread_count = i + 1;
		failed = check_thread(thread, error);
		if (!failed)
			failed = take_bytes(reader, &thread->xstate, thread->xstate_length, 0, error);
	}
	return failed;
}

/* Before it is read as one: any other byte is none. */
static bool is_bool(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, 1);
	return byte <= 1;
}

static int check_descriptor(const struct image *image, uint32_t i, uint32_t count, struct rw_error *error)
{
	const struct descriptor *descriptor = &image->descriptors[i];
	const bool has_info = descriptor->kind == OBJECT_COUNTER || descriptor->kind == OBJECT_EPOLL ||
			      descriptor->kind == OBJECT_OTHER;

	if (descriptor->fd < 0 || descriptor->fd > MAX_DESCRIPTOR || (i && descriptor->fd <= image->descriptors[i - 1].fd))
		return rw_template_refuse("numbers of descriptors", error);
	if ((unsigned)descriptor->kind > OBJECT_OTHER || !is_bool(&descriptor->locked) || !is_bool(&descriptor->shut_down))
		return rw_template_refuse("descriptor", error);
	if (descriptor->content_length > PIPE_CONTENT || descriptor->attributes.name_length > SOCKET_NAME_SIZE)
		return rw_template_refuse("content of a descriptor", error);
	if (descriptor->same_as > i || image->descriptors[descriptor->same_as].same_as != descriptor->same_as)
		return rw_template_refuse("same descriptors", error);
	if (descriptor->kind == OBJECT_PIPE && (descriptor->write_end >= count || descriptor->write_end == i))
		return rw_template_refuse("end of a pipe", error);
	return descriptor->path && (!has_info || descriptor->info) ? 0 : rw_template_refuse("texts of a descriptor", error);
}

static int take_descriptors(struct reader *reader, struct image *image, uint32_t count, struct rw_error *error)
{
	int failed = 0;

	if (count > reader->left / sizeof(*image->descriptors))
		return rw_template_refuse("length", error);
	image->descriptors = calloc(count + 1, sizeof(*image->descriptors));
	if (!image->descriptors)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	for (uint32_t i = 0; i < count && !failed; i++) {
		struct descriptor *descriptor = &image->descriptors[i];
		struct descriptor_texts texts;

		if (!rw_template_take(reader, descriptor, sizeof(*descriptor)))
			return rw_template_refuse("length", error);
		descriptor->info = descriptor->path = NULL;
		image->descriptor_count = i + 1;
		if (!rw_template_take(reader, &texts, sizeof(texts)))
			return rw_template_refuse("length", error);
		failed = take_text(reader, &descriptor->info, texts.info, error);
		if (!failed)
			failed = take_text(reader, &descriptor->path, texts.path, error);
		if (!failed)
			failed = check_descriptor(image, i, count, error);
	}
	return failed;
}

/* Each is written from outside where a page of it is saved: rw_put_back_cpu_number(). */
static int check_sequences(const struct image *image, struct rw_error *error)
{
	for (uint32_t i = 0; i < image->thread_count; i++)
		if (!rw_sequence_is_whole(image, &image->threads[i]))
			return rw_template_refuse("rseq area", error);
	return 0;
}

static void take_head(const struct template_head *head, struct image *image)
{
	image->size = head->size;
	image->code = head->code;
	image->table = head->table;
	image->window = head->window;
	image->maps_length = head->maps - 1;
	image->kernel.inside = head->inside;
	image->kernel.umask = head->umask;
	image->origin = head->origin;
}

static int load(struct reader *reader, const struct template_head *head, struct image *image, struct rw_error *error)
{
	int failed = take_text(reader, &image->maps, head->maps, error);

	if (!failed)
		failed = take_text(reader, &image->flags, head->flags, error);
	if (!failed)
		failed = take_text(reader, &image->kernel.status, head->status, error);
	if (!failed)
		failed = take_threads(reader, image, head->threads, error);
	if (!failed)
		failed = take_descriptors(reader, image, head->descriptors, error);
	if (!failed)
		failed = rw_template_take_regions(image, error);
	if (!failed)
		failed = rw_template_take_runs(reader, image, head->runs, error);
	if (!failed && head->pages != image->pages_saved)
		failed = rw_template_refuse("number of pages", error);
	if (!failed)
		failed = check_sequences(image, error);
	return failed ? failed : rw_template_take_pages(reader, image, error);
}

int rw_template_load(const void *bytes, uint64_t length, struct rw_process **template, struct rw_error *error)
{
	struct reader reader = { bytes, length };
	struct template_head *head cleanup_(rw_free) = malloc(sizeof(*head));
	struct rw_process *p;
	int failed;

	*error = (struct rw_error){ .untouched = 1 };
	if (!head)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	failed = rw_template_take(&reader, head, sizeof(*head)) ? check_head(head, error) : rw_template_refuse("length", error);
	if (failed)
		return failed;
	p = rw_process_new(0, (enum rw_rung)head->rung);
	if (!p)
		return rw_fail(error, RW_SYSTEM, ENOMEM, "a template");
	take_head(head, p->image);
	failed = load(&reader, head, p->image, error);
	if (failed) {
		rw_release(p);
		return failed;
	}
	*template = p;
	return 0;
}
