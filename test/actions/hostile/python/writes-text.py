"""Rewrites code of the C library in its own memory, so that a function answers something else."""
import ctypes

libc = ctypes.CDLL("libc.so.6", use_errno=True)


def main(args):
    address = ctypes.cast(libc.getppid, ctypes.c_void_p).value
    page = address & ~4095
    if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(8192), 7) != 0:
        return {"left": False, "refused": ctypes.get_errno()}
    ctypes.memmove(address, b"\xb8\x2a\x00\x00\x00\xc3", 6)
    libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(8192), 5)
    return {"left": True, "answers": libc.getppid()}
