/* Dirties: the break: first moved up, then by more than that down and up again to where it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#define AGAIN (PIECE * 3 / 2)
#include "break-regrown.h"
