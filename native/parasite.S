/* The code that runs inside a rewound process: works through a table of struct op; needs no stack and no libc. */
/* SPDX-License-Identifier: Apache-2.0 */
/* In: rbx = first op, rsp = eight bytes of zeroes. Out, at the fault: r12 = number of failed calls, r13 = the op that failed last, r14 = its result,
 * r15 and rbp = results of the last ops flagged OP_CAPTURE and OP_CAPTURE_ASIDE. */

	.section .rodata
	.globl rw_parasite_start, rw_parasite_done, rw_parasite_end
	.hidden rw_parasite_start, rw_parasite_done, rw_parasite_end
rw_parasite_start:
	popfq	/* PTRACE_SETREGS leaves one flag as it is, by which programs see whether there is CPUID */
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	xor	%ebp, %ebp
next:	mov	(%rbx), %rax
	cmp	$-2, %rax
	je	copy
	cmp	$-3, %rax
	je	zero
	cmp	$-1, %rax
	je	done
	mov	8(%rbx), %rdi
	mov	16(%rbx), %rsi
	mov	24(%rbx), %rdx
	mov	32(%rbx), %r10
	mov	40(%rbx), %r8
	mov	48(%rbx), %r9
	syscall
	testb	$2, 56(%rbx)
	jz	signal
	mov	%rax, %r15
signal:	testb	$4, 56(%rbx)
	jz	check
	mov	%rax, %rbp
check:	testb	$1, 56(%rbx)
	jnz	step
	cmp	$-4095, %rax
	jb	step
	inc	%r12
	mov	%rbx, %r13
	mov	%rax, %r14
step:	add	$64, %rbx
	jmp	next
/* Page by page. What comes next is fetched meanwhile: the pages are cold, and no hardware looks beyond the page it is in. */
copy:	mov	8(%rbx), %rdi
	mov	16(%rbx), %rsi
	mov	24(%rbx), %rdx
page:	lea	4096(%rdi), %r8
	lea	4096(%rsi), %r9
	sub	$4096, %rdx
	jnz	fetch
	mov	%rdi, %r8
	mov	%rsi, %r9
	cmpq	$-2, 64(%rbx)
	jne	fetch
	mov	72(%rbx), %r8
	mov	80(%rbx), %r9
fetch:	xor	%ecx, %ecx
line:	prefetchw (%r8,%rcx)
	prefetcht0 (%r9,%rcx)
	movaps	(%rsi,%rcx), %xmm0
	movaps	16(%rsi,%rcx), %xmm1
	movaps	32(%rsi,%rcx), %xmm2
	movaps	48(%rsi,%rcx), %xmm3
	movaps	%xmm0, (%rdi,%rcx)
	movaps	%xmm1, 16(%rdi,%rcx)
	movaps	%xmm2, 32(%rdi,%rcx)
	movaps	%xmm3, 48(%rdi,%rcx)
	add	$64, %rcx
	cmp	$4096, %rcx
	jne	line
	add	%rcx, %rdi
	add	%rcx, %rsi
	test	%rdx, %rdx
	jnz	page
	add	$64, %rbx
	jmp	next
zero:	mov	8(%rbx), %rdi
	mov	16(%rbx), %rcx
	xor	%eax, %eax
	rep stosb
	add	$64, %rbx
	jmp	next
/*
 * The end is a fault at an address that no process can map. The kernel keeps the last fault of each thread and shows it in
 * the frame of every signal: so it is the same one after each rewind, and tells nothing of an earlier action's.
 */
done:
rw_parasite_done:
	movb	$0, -4096
rw_parasite_end:
	.section .note.GNU-stack, "", @progbits
