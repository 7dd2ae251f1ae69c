/* The pieces of the mark: read from a file, found in bytes, and each find reported once. */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each byte of them is XORed with MASK (test/prove/mark.ts), and only masked bytes are compared: who searches its own
 * memory must not find what it searches for.
 */
#include "seek.h"

#include <errno.h>
#include <string.h>

#define MASK 0x5a
#define SHORTEST 7		/* so that each holds a whole aligned word, wherever it begins */

static uint32_t bucket_of(uint32_t masked)
{
	return (masked * 2654435761U) >> 16;
}

int seek_load(struct seeker *s, const char *path)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	for (struct piece *piece = s->pieces; fread(piece, 2, 1, file) == 1; piece++) {
		if (s->piece_count == PIECES || piece->length < SHORTEST || piece->length > OVERLAP ||
		    fread(piece->bytes, piece->length, 1, file) != 1) {
			fclose(file);
			return -EINVAL;
		}
		for (uint16_t offset = 0; offset < 4; offset++) {
			struct word *word = &s->words[++s->word_count];

			memcpy(&word->masked, piece->bytes + offset, 4);
			word->piece = (uint16_t)s->piece_count;
			word->offset = offset;
			word->next = s->buckets[bucket_of(word->masked)];
			s->buckets[bucket_of(word->masked)] = (uint16_t)s->word_count;
		}
		s->piece_count++;
	}
	fclose(file);
	return s->piece_count ? 0 : -EINVAL;
}

static bool is_there(const struct piece *piece, const uint8_t *data)
{
	for (uint8_t i = 0; i < piece->length; i++)
		if ((data[i] ^ MASK) != piece->bytes[i])
			return false;
	return true;
}

/* One line for each form and place. */
static void report(struct seeker *s, uint8_t form, const char *where, uint64_t offset)
{
	uint64_t hash = 14695981039346656037ULL + form;
	uint32_t i = 0;

	for (const char *at = where; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 1099511628211ULL;
	while (i < s->reported_count && s->reported[i] != hash)
		i++;
	if (i < s->reported_count || i == REPORTED)
		return;
	s->reported[s->reported_count++] = hash;
	fprintf(s->found, "%u %s +%lx\n", form, where, offset);
}

void seek_bytes(struct seeker *s, const uint8_t *data, size_t length, size_t own, const char *where, uint64_t address)
{
	uint32_t masked;

	for (size_t at = 0; at + sizeof(masked) <= length; at += sizeof(masked)) {
		memcpy(&masked, data + at, sizeof(masked));
		masked ^= MASK * 0x01010101U;
		for (uint16_t i = s->buckets[bucket_of(masked)]; i; i = s->words[i].next) {
			const struct word *word = &s->words[i];
			const struct piece *piece = &s->pieces[word->piece];
			size_t start = at - word->offset;

			if (word->masked == masked && at >= word->offset && start < own && start + piece->length <= length &&
			    is_there(piece, data + start))
				report(s, piece->form, where, address + start);
		}
	}
}

void seek_text(struct seeker *s, const char *text, size_t length, const char *where)
{
	seek_bytes(s, (const uint8_t *)text, length, length, where, 0);
}
