FREE, DONTFORK, REMOVE, MERGEABLE, HWPOISON, WIPEONFORK, PAGEOUT, COLLAPSE, GUARD = 8, 10, 9, 12, 100, 18, 21, 25, 102


def leave(mark):
    own, shared = (act("mmap", 0, 4096, 3, flags, -1, 0) for flags in (0x22, 0x21))
    kinds = (FREE, DONTFORK, REMOVE, MERGEABLE, HWPOISON, WIPEONFORK, PAGEOUT, COLLAPSE, GUARD)
    return [attempt("madvise", shared if advice == REMOVE else own, 4096, advice) for advice in kinds]


def read():
    return [line for line in open("/proc/self/smaps") if line.startswith("VmFlags")]
