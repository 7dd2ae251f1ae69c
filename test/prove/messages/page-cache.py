import mmap
import os

DONTNEED, NOWAIT, DONTCACHE = 4, 8, 0x80


def leave(mark):
    """Of a file that all containers share: what is dropped from the page cache, read ahead, and asked for."""
    with open(os.__file__, "rb") as file:
        number, size = file.fileno(), os.path.getsize(os.__file__)
        area = act("mmap", 0, size, mmap.PROT_READ, mmap.MAP_SHARED, number, 0)
        text = put((act("memory") + 256).to_bytes(8, "little") + (1).to_bytes(8, "little"))
        found = [attempt("preadv2", number, text, 1, 0, 0, flags) for flags in (NOWAIT, DONTCACHE)]
        found += [attempt("mincore", area, size, text), attempt("cachestat", number, put(bytes(16)), put(bytes(64), 64), 0)]
    # Without a descriptor: that it is no error shows that the kernel never sees it.
    return found + [attempt("fadvise64", -1, 0, 0, DONTNEED), attempt("readahead", -1, 0, 1)]


def read():
    return os.path.getsize(os.__file__)
