/* Dirties: text whose file has been deleted, so that it cannot be opened by its path. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "victim.h"

static char *text;

static void prepare(void)
{
	char path[] = "/tmp/victim-XXXXXX";
	int fd = mkstemp(path);

	MUST(fd >= 0 && write(fd, "text", 4) == 4 && !unlink(path));
	text = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	MUST(text != MAP_FAILED && text[0] == 't' && !close(fd));
}

static void change(void)
{
	MUST(text[0] == 't' && !mprotect(text, PAGE, PROT_READ | PROT_WRITE));
	text[0] = 'x';
	MUST(!mprotect(text, PAGE, PROT_READ));
}
