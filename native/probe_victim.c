/* The program that the probe rewinds: it changes its memory and kernel state in every way, and says whether it has its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MB (1UL << 20)
#define PAGE 4096UL

static unsigned char data[MB] = { 1 };		/* written before the checkpoint */
static unsigned char holes[MB];			/* never touched before it */
static unsigned char *shrinking, *guarded, *vanishing;

static void *new_mapping(int prot)
{
	void *at = mmap(NULL, MB, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		exit(3);
	return at;
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void grow_stack(int depth)
{
	volatile unsigned char frame[16 * PAGE];

	frame[0] = (unsigned char)depth;
	if (depth > 0)
		grow_stack(depth - 1);
	frame[sizeof(frame) - 1] = frame[0];
}

static void prepare(void)
{
	memset(data, 0x5a, sizeof(data));
	shrinking = new_mapping(PROT_READ | PROT_WRITE);
	guarded = new_mapping(PROT_READ | PROT_WRITE);
	vanishing = new_mapping(PROT_READ | PROT_WRITE);
	memset(shrinking, 1, MB);
	memset(guarded, 2, MB);
	memset(vanishing, 3, MB);
	if (mprotect(guarded, MB, PROT_READ))
		exit(3);
}

static bool is_all(const unsigned char *at, unsigned char value)
{
	return at[0] == value && !memcmp(at, at + 1, MB - 1);
}

/* What no oracle can say that is told of the pages by the same kernel. */
static bool is_intact(void)
{
	return is_all(data, 0x5a) && is_all(holes, 0) && is_all(shrinking, 1) && is_all(guarded, 2) && is_all(vanishing, 3);
}

static void change_memory(void)
{
	memset(data + 3 * PAGE, 0xa5, 40 * PAGE);
	memset(holes + 5 * PAGE, 0xa5, 2 * PAGE);
	memset(holes + 100 * PAGE, 0xa5, 100 * PAGE);
	memset(new_mapping(PROT_READ | PROT_WRITE), 0xa5, MB);
	if (munmap(shrinking + 16 * PAGE, 32 * PAGE) || mprotect(guarded, MB, PROT_READ | PROT_WRITE) ||
	    madvise(vanishing, 8 * PAGE, MADV_DONTNEED) || sbrk((intptr_t)MB) == (void *)-1)
		exit(3);
	guarded[PAGE] = 0xa5;
	grow_stack(64);
}

static void change_state(void)
{
	sigset_t set;
	pthread_t thread;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGUSR2, SIG_IGN);
	umask(0);
	alarm(100);
	if (chdir("/proc") || open("/dev/null", O_RDONLY) < 0 || pthread_create(&thread, NULL, sleep_for_ever, NULL))
		exit(3);
}

/* Says "r" at first and whenever it found itself intact, else "x". Commands: d, look and change all; anything else, look. */
int main(void)
{
	const char *answer = "r";
	char command;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir("/"))
		return 3;
	prepare();
	for (;;) {
		if (write(1, answer, 1) != 1 || read(0, &command, 1) != 1)
			return 0;
		answer = is_intact() ? "r" : "x";
		if (command != 'd')
			continue;
		change_memory();
		change_state();
	}
}
