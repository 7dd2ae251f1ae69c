"""Leaves the address space changed: mapped, unmapped, moved, protected, grown and advised differently."""
import builtins
import ctypes
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = libc.sbrk.restype = ctypes.c_void_p


def mappings(word):
    with open("/proc/self/maps") as file:
        for line in file:
            if word in line:
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                yield start, end - start


def main(args):
    marker = args["marker"].encode()
    builtins.kept = [mmap.mmap(-1, 1 << 20), mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)]
    for memory in builtins.kept:
        memory.write(marker)
    done = {}
    # The end of the third segment of the mathematics library holds tables for unwinding, which nobody reads.
    start, size = list(mappings("libm.so.6"))[2]
    done["unmapped"] = libc.munmap(ctypes.c_void_p(start + size - 4096), ctypes.c_size_t(4096))
    heap, size = next(mappings("[heap]"))
    done["break"] = libc.sbrk(ctypes.c_long(1 << 20)) is not None
    done["advised"] = libc.madvise(ctypes.c_void_p(heap), ctypes.c_size_t(size), 10)
    done["merged"] = libc.madvise(ctypes.c_void_p(heap), ctypes.c_size_t(size), 12)
    anywhere = libc.mmap(None, 1 << 16, 7, 0x22, -1, 0)
    done["executable"] = anywhere not in (None, 2**64 - 1)
    library, size = next(mappings("libc.so.6"))
    done["read only made writable"] = libc.mprotect(ctypes.c_void_p(library), ctypes.c_size_t(4096), 3)
    if done["read only made writable"] == 0:
        ctypes.memset(library + 9, 0x41, 7)
    done["locked"] = libc.mlockall(3)
    fd = os.memfd_create("left")
    os.truncate(fd, 1 << 16)
    builtins.kept.append(mmap.mmap(fd, 1 << 16))
    return {"left": True, "done": done}
