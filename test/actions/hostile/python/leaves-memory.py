"""Leaves a secret on the heap, outside it, in interned strings, in compiled code and on the stack."""
import builtins
import ctypes
import hashlib
import mmap
import sys
import zlib


def recurse(depth, text):
    return len(text) if depth == 0 else recurse(depth - 1, text + str(depth % 10)) + 1


def main(args):
    marker = args["marker"]
    copies = [marker + str(i) for i in range(2000)]
    kept = [copies, {sys.intern(copy): copy.encode() for copy in copies}, compile(repr(marker), marker, "exec")]
    memory = mmap.mmap(-1, 4 << 20)
    memory.write(marker.encode() * 1000)
    buffer = ctypes.create_string_buffer((marker * 1000).encode())
    builtins.kept = kept + [memory, buffer]
    zlib.compress(marker.encode() * 1000)
    hashlib.sha256(marker.encode()).digest()
    ctypes.CDLL(None).setenv(b"LEFT", marker.encode(), 1)
    return {"left": recurse(300, marker) > 0}
