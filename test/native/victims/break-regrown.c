/* Dirties: the break: first moved up, then by as much down and up again to where it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#define AGAIN PIECE
#include "break-regrown.h"
