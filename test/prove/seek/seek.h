/* What the parts of the search for a mark share: the search itself, and where it looks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEEK_H
#define SEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PAGE 4096UL
#define CHUNK (1UL << 20)
#define OVERLAP 64UL		/* no piece is longer */
#define PIECES 1024
#define WORDS (1 + 4 * PIECES)	/* the first one is none */
#define BUCKETS (1U << 16)
#define REPORTED 8192

struct piece {
	uint8_t form, length, bytes[OVERLAP];
};

/* The aligned words that each piece has at its first four places. */
struct word {
	uint32_t masked;
	uint16_t piece, offset, next;
};

struct seeker {
	struct piece pieces[PIECES + 1];	/* the last one is read into before it is found to be too much */
	struct word words[WORDS];
	uint16_t buckets[BUCKETS];
	uint32_t piece_count, word_count;
	FILE *found;
	uint64_t reported[REPORTED];
	uint32_t reported_count;
	bool outside;
	uint8_t buffer[CHUNK + OVERLAP];
};

/* -- pieces.c --------------------------------------------------------------------------------------------------------- */

/* From a file of: number of the form, length, masked bytes. 0 or -errno. */
int seek_load(struct seeker *s, const char *path);
/* Reports pieces that begin in the first `own` bytes; what follows them belongs to the next call. */
void seek_bytes(struct seeker *s, const uint8_t *data, size_t length, size_t own, const char *where, uint64_t address);
void seek_text(struct seeker *s, const char *text, size_t length, const char *where);

/* -- memory.c --------------------------------------------------------------------------------------------------------- */

void seek_memory(struct seeker *s, const char *process);
void seek_registers(struct seeker *s, pid_t thread, const char *where);

/* -- files.c ---------------------------------------------------------------------------------------------------------- */

enum place { SCRATCH, PROC, TASK };

/* All files below a folder: their names, attributes and contents. Links are not followed: their texts are searched. */
void seek_tree(struct seeker *s, const char *folder, enum place place);
/* What lies behind the descriptor `fd` of ours, which is the process's `number`. */
void seek_descriptor(struct seeker *s, int fd, const char *process, int number);

#endif
