def leave(mark):
    file = act("memfd_create", put(mark.encode() + b"\0"), 0)
    act("ftruncate", file, 4096)
    return word(act("mmap", 0, 4096, 3, 1, file, 0))


def read():
    return [line.split(" ")[0] for line in open("/proc/self/maps") if "memfd" in line and "rewhisk" not in line]
