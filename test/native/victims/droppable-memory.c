/* Writes memory that the kernel may drop: where the vDSO keeps the state of getrandom(). It must come back empty. */
#include "victim.h"

#define MAP_DROPPABLE 0x08
#define SIZE (4 * PAGE)

static char *state;

static void prepare(void)
{
	state = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
	MUST(state != MAP_FAILED);
	memset(state, 0x5a, SIZE);
}

static void change(void)
{
	/* What was there at the checkpoint is gone as well: from it the same numbers would come every time. */
	for (size_t i = 0; i < SIZE; i++)
		MUST(!state[i]);
	memset(state, 0xa5, SIZE);
}
