READ, SHARED, PRIVATE, DROPPABLE, FIXED, ANONYMOUS, LOCKED, NORESERVE, STACK = 1, 1, 2, 8, 0x10, 0x20, 0x2000, 0x4000, 0x20000


def flags():
    mapping = None
    for line in open("/proc/self/smaps"):
        if line.startswith("VmFlags:"):
            yield mapping, line.split()[1:]
        elif "-" in line.split()[0]:
            mapping = line.split()


def text():
    return next(mapping for mapping, _ in flags() if mapping[1] == "r--s" and mapping[-1].startswith("/usr"))


def leave(mark):
    limits, _, offset, _, _, path = text()
    start, end = (int(limit, 16) for limit in limits.split("-"))
    file = __import__("os").open(path, 0)
    kinds = [SHARED | LOCKED, SHARED | NORESERVE, SHARED | STACK, PRIVATE | NORESERVE]
    said = [attempt("mmap", start, end - start, READ, kind | FIXED, file, int(offset, 16)) for kind in kinds]
    return [*said, attempt("mmap", 0, 4096, READ, DROPPABLE | ANONYMOUS, -1, 0)]


def read():
    return [flags for mapping, flags in flags() if mapping[0] == text()[0]]
