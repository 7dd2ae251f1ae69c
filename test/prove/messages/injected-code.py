def leave(mark):
    edges = next(line.split(" ")[0] for line in open("/proc/self/maps") if "rewhisk-code" in line)
    return word(act("munmap", int(edges.split("-")[0], 16), 4096))


def read():
    return sum("rewhisk" in line for line in open("/proc/self/maps"))
