/* Changes a template's bytes at random, many times, and has each loaded: refused or not, nothing may be read or written that is not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rewind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES 8

static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % below;
}

static void change(uint8_t *bytes, size_t length)
{
	static const uint8_t likely[] = { 0, 1, 2, 0x7f, 0x80, 0xff, '\n', ' ', '-' };
	/* Tables come first, and are small beside the pages. */
	size_t first = draw(4) ? (length + 1) / 2 : length;
	size_t at = draw(first), count = 1 + draw(CHANGES);

	for (; count && at < length; count--, at++)
		bytes[at] = draw(2) ? likely[draw(sizeof(likely))] : (uint8_t)draw(256);
}

int main(int argc, char **argv)
{
	static uint8_t whole[1 << 24];
	FILE *file = argc == 5 ? fopen(argv[1], "r") : NULL;
	uint64_t loaded = 0, refused = 0, tables;
	size_t length;

	if (!file)
		return 2;
	length = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	tables = strtoull(argv[2], NULL, 10);
	state = strtoull(argv[3], NULL, 10);
	for (uint64_t i = strtoull(argv[4], NULL, 10); i; i--) {
		/* One that is cut off, at times: of exactly its size, so that nothing behind it can be read unseen. */
		size_t size = draw(8) ? length : draw(length + 1);
		uint8_t *bytes = malloc(size + 1);
		struct rw_process *template = NULL;
		struct rw_error error;

		if (!bytes)
			return 2;
		memcpy(bytes, whole, size);
		for (uint64_t changes = draw(4); changes; changes--)
			change(bytes, size < tables ? size + !size : tables);
		if (rw_template_load(bytes, size, &template, &error))
			refused++;
		else {
			loaded++;
			rw_release(template);
		}
		free(bytes);
	}
	printf("%llu %llu\n", (unsigned long long)loaded, (unsigned long long)refused);
	return 0;
}
