/* Acts that change or read what the kernel keeps of a thread: its last fault, its rounding, and what only it can ask for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static void on_signal(int signal, void (*handler)(int, siginfo_t *, void *))
{
	const struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	(void)sigaction(signal, &action, NULL);
}

static sigjmp_buf after_fault;

static void leave_fault(int signal, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	siglongjmp(after_fault, signal);
}

/* Reads from an address and survives that nothing is there. */
static long act_fault(const long a[ARGUMENTS])
{
	int signal = sigsetjmp(after_fault, 1);

	if (!signal) {
		on_signal(SIGSEGV, leave_fault);
		return *(const volatile uint8_t *)a[0];
	}
	return signal;
}

static long seen[3];

static void look_at_trap(int signal, siginfo_t *info, void *context)
{
	const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal, (void)info;
	seen[0] = registers[REG_CR2];
	seen[1] = registers[REG_TRAPNO];
	seen[2] = registers[REG_ERR];
}

/* What the kernel says of the thread's last fault (0: address, 1: number, 2: code): it stands in every signal's frame. */
static long act_last_fault(const long a[ARGUMENTS])
{
	on_signal(SIGUSR1, look_at_trap);
	(void)raise(SIGUSR1);
	return seen[a[0]];
}

/* How numbers are rounded (0 to nearest, 1 down, 2 up, 3 towards zero), on both floating point units; -1 only asks. */
static long act_rounding(const long a[ARGUMENTS])
{
	uint16_t old;
	uint32_t vector;

	__asm__ volatile("fnstcw %0\n stmxcsr %1" : "=m"(old), "=m"(vector));
	if (a[0] < 0)
		return (old >> 10 & 3) | (vector >> 13 & 3) << 2;
	old = (uint16_t)((old & ~0xc00) | a[0] << 10);
	vector = (vector & ~0x6000u) | (uint32_t)a[0] << 13;
	__asm__ volatile("fldcw %0\n ldmxcsr %1" : : "m"(old), "m"(vector));
	return 0;
}

/* The flag by which programs once asked whether there is CPUID (1 set, 0 cleared); -1 only asks. */
static long act_identification(const long a[ARGUMENTS])
{
	unsigned long flags = __builtin_ia32_readeflags_u64();

	if (a[0] < 0)
		return flags >> 21 & 1;
	__builtin_ia32_writeeflags_u64((flags & ~(1UL << 21)) | (unsigned long)a[0] << 21);
	return 0;
}

static long make_call(const long a[5])
{
	long result = syscall(a[0], a[1], a[2], a[3], a[4]);

	return result < 0 ? -errno : result;
}

static const long *volatile errand;
static volatile long errand_result;

static void run_errand(int signal, siginfo_t *info, void *context)
{
	const long *a = errand;
	ucontext_t *frame = context;

	(void)signal, (void)info;
	errand_result = 0;
	if (a[1] == SYS_rt_sigprocmask)
		memcpy(&frame->uc_sigmask, &a[2], 8);
	else if (a[1] == SYS_sigaltstack && a[2])
		frame->uc_stack = *(const stack_t *)a[2];
	else
		errand_result = make_call(a + 1);
	errand = NULL;
}

/* Lets another thread make a system call of four arguments; of rt_sigprocmask there is but one, the new mask. */
static long act_elsewhere(const long a[ARGUMENTS])
{
	const long call[1 + ARGUMENTS] = { a[0], a[1], a[2], a[3], a[4], a[5] };

	errand = call;
	on_signal(SIGUSR2, run_errand);
	if (syscall(SYS_tgkill, getpid(), a[0], SIGUSR2))
		return -errno;
	for (int i = 0; errand && i < 1000 && !syscall(SYS_tgkill, getpid(), a[0], 0); i++)
		usleep(1000);
	return errand ? -ETIMEDOUT : errand_result;
}

const struct act state_acts[] = {
	{ "fault", act_fault },
	{ "last_fault", act_last_fault },
	{ "rounding", act_rounding },
	{ "identification", act_identification },
	{ "elsewhere", act_elsewhere },
	{ NULL, NULL },
};
