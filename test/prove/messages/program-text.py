def text():
    line = next(line for line in open("/proc/self/maps") if " r-xs " in line)
    return int(line.split("-")[0], 16)


def leave(mark):
    return [attempt("mprotect", text(), 4096, 7)]


def read():
    return [line.split(" ")[0] for line in open("/proc/self/maps") if " r-xs " in line]
