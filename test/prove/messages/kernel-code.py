def edges():
    line = next(line for line in open("/proc/self/maps") if "[vdso]" in line)
    return [int(edge, 16) for edge in line.split(" ")[0].split("-")]


def leave(mark):
    start, end = edges()
    act("mprotect", start, end - start, 3)
    act("getcwd", end - 16, 16)
    return word(act("mprotect", start, end - start, 5))


def read():
    import ctypes
    return ctypes.string_at(edges()[1] - 16, 16).hex()
