"""Unmaps the code that it runs."""
import ctypes
import re


def main(args):
    libc = ctypes.CDLL(None)
    with open("/proc/self/maps") as file:
        text = [line for line in file if " r-x" in line and re.search(r"python3|libpython", line)]
    start, end = (int(part, 16) for part in text[0].split()[0].split("-"))
    libc.munmap(ctypes.c_void_p(start), ctypes.c_size_t(end - start))
    return {"answered": True}
