/* Kernel structures newer than the headers of the distributions we build on (linux/fs.h and userfaultfd.h of 6.7). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_ABI_H
#define KERNEL_ABI_H

#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>

struct rw_pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

/* One run of pages of the same categories. */
struct rw_page_region {
	uint64_t start, end, categories;
};

#define RW_SCAN_RUNS 8192ULL /* so many a buffer has room for */
#define RW_PAGEMAP_SCAN _IOWR('f', 16, struct rw_pm_scan_arg)
#define RW_PAGE_IS_WRITTEN (1ULL << 1)
#define RW_PAGE_IS_FILE (1ULL << 2)
#define RW_PAGE_IS_PRESENT (1ULL << 3)
#define RW_PAGE_IS_SWAPPED (1ULL << 4)
#define RW_SCAN_WP_MATCHING (1ULL << 0)
#define RW_SCAN_CHECK_WPASYNC (1ULL << 1)

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define RW_UFFD_WP_UNPOPULATED (1ULL << 13)
#define RW_UFFD_WP_ASYNC (1ULL << 15)

/* /proc/PID/pagemap */
#define RW_PM_FRAME ((1ULL << 55) - 1)
#define RW_PM_SOFT_DIRTY (1ULL << 55)
#define RW_PM_WRITE_PROTECTED (1ULL << 57)
#define RW_PM_FILE (1ULL << 61)
#define RW_PM_SWAPPED (1ULL << 62)
#define RW_PM_PRESENT (1ULL << 63)

#define RW_PTRACE_GET_RSEQ ((enum __ptrace_request)0x420f)
struct rw_ptrace_rseq {
	uint64_t pointer;
	uint32_t size, signature, flags, pad;
};
#define RW_RSEQ_SECTION 8 /* where in the area the thread names its critical section */

#define RW_MAP_DROPPABLE 0x08 /* in place of MAP_PRIVATE; Linux 6.11 */

#define RW_PTRACE_O_SUSPEND_SECCOMP (1 << 21)

/* PROCMAP_QUERY of /proc/PID/maps, Linux 6.11. */
struct rw_procmap_query {
	uint64_t size, query_flags, query_addr;
	uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#define RW_PROCMAP_QUERY _IOWR('f', 17, struct rw_procmap_query)
#define RW_PROCMAP_COVERING_OR_NEXT 0x10
#define RW_PROCMAP_SHARED 0x08		/* and 1, 2, 4: readable, writable, executable */

#endif
