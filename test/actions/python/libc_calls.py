"""Calls the C library directly: sorts with qsort and a Python comparison, formats, and maps memory."""
import ctypes
import mmap

libc = ctypes.CDLL("libc.so.6", use_errno=True)
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))


def main(args):
    numbers = args["numbers"]
    array = (ctypes.c_int * len(numbers))(*numbers)
    compared = 0

    def compare(a, b):
        nonlocal compared
        compared += 1
        return a[0] - b[0]

    libc.qsort(array, len(array), ctypes.sizeof(ctypes.c_int), COMPARE(compare))
    buffer = ctypes.create_string_buffer(64)
    libc.snprintf(buffer, 64, b"%05d|%x", ctypes.c_int(numbers[0]), ctypes.c_int(255))
    with mmap.mmap(-1, 1 << 20) as memory:
        memory[:4] = b"abcd"
        mapped = memory[:4].decode() + str(sum(memory[4:64]))
    return {"sorted": list(array), "compared": compared > 0, "formatted": buffer.value.decode(), "mapped": mapped}
