/* Booting: all mappings compared with the image's, once everything is in place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static bool is_same(const struct rw_process *p, const struct region *was, const struct region *is)
{
	const bool same_file = was->inode == is->inode && was->device == is->device;

	return was->start == is->start && was->end == is->end && was->prot == is->prot && was->shared == is->shared &&
	       was->offset == is->offset && (same_file || was->kind == REGION_INJECTED) && was->name_length == is->name_length &&
	       !memcmp(p->image->maps + was->name, p->text + is->name, was->name_length);
}

static int refuse_layout(const struct rw_process *p, const struct region *was, const struct region *is, struct rw_error *error)
{
	static const struct region none;

	was = was ? was : &none;
	is = is ? is : &none;
	return rw_fail(error, RW_MAPPING, 0, "mappings differ: was %llx-%llx %x %.*s, is %llx-%llx %x %.*s",
		       (unsigned long long)was->start, (unsigned long long)was->end, was->prot, (int)was->name_length,
		       p->image->maps + was->name, (unsigned long long)is->start, (unsigned long long)is->end, is->prot,
		       (int)is->name_length, p->text + is->name);
}

/* The files of our own mappings are this process's; so its text of maps becomes its image's. */
static int adopt_text(struct rw_process *p, struct rw_error *error)
{
	struct image *image = p->image;

	rw_free(&image->maps);
	if (rw_reserve(&image->maps, &(uint64_t){ 0 }, p->text_length + 1, 1))
		return rw_fail(error, RW_SYSTEM, ENOMEM, "text of maps");
	memcpy(image->maps, p->text, p->text_length + 1);
	image->maps_length = p->text_length;
	for (uint64_t i = 0; i < image->regions.count; i++) {
		struct region *region = &image->regions.at[i];
		const struct region *is = &p->now.at[i];

		region->inode = is->inode;
		region->device = is->device;
		region->name = is->name;
		region->name_length = is->name_length;
	}
	return 0;
}

int rw_boot_layout(struct boot *boot, struct rw_error *error)
{
	struct rw_process *p = boot->p;
	const struct region_list *was = &p->image->regions;
	uint64_t i = 0;
	int failed = rw_op(p, error, SYS_munmap, 0, boot->bootstrap.scratch, PAGE, 0, 0, 0, 0);

	if (!failed)
		failed = rw_run_ops(p, NULL, error);
	if (!failed)
		failed = rw_read_text(p->maps, &p->text, &p->text_capacity, &p->text_length, error);
	if (!failed)
		failed = rw_parse_maps(p->text, &p->now, error);
	if (failed)
		return failed;
	while (i < was->count && i < p->now.count && is_same(p, &was->at[i], &p->now.at[i]))
		i++;
	if (i < was->count || i < p->now.count)
		return refuse_layout(p, i < was->count ? &was->at[i] : NULL, i < p->now.count ? &p->now.at[i] : NULL, error);
	failed = adopt_text(p, error);
	/* Born of an embryo it has that one's mappings: the oracle of the first rewind looks at their flags. */
	return failed || p->shared_pages >= 0 ? failed : rw_compare_flags(p, RW_MAPPING, error);
}
