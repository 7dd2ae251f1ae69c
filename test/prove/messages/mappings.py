def leave(mark):
    return word(min(act("mmap", 0, pages * 4096, 1 + pages % 3, 0x22, -1, 0) for pages in range(1, 40)))


def read():
    return [line.split(" ")[:2] for line in open("/proc/self/maps")]
