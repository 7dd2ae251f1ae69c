/* What spreads a mark (spread.c), and what looks for it (seek/). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CANARY_H
#define CANARY_H

#include <stdio.h>

/*
 * Searches everything that can be read of the container of `process`, a pid; NULL: of the container that we run in. Every
 * find is a line of `found`. Gives their number, or -errno.
 */
long seek(const char *pieces, const char *process, FILE *found);

/* Spreads the mark of the environment variable CANARY (64 hex digits). Gives 0, or the number of the place that failed. */
long spread(void);

#endif
