"""Compresses a text with every method of the standard library and proves that nothing was lost."""
import bz2
import gzip
import hashlib
import lzma
import zlib

WAYS = {
    "gzip": (lambda data: gzip.compress(data, mtime=0), gzip.decompress),
    "zlib": (zlib.compress, zlib.decompress),
    "bz2": (bz2.compress, bz2.decompress),
    "lzma": (lzma.compress, lzma.decompress),
}


def main(args):
    plain = (args["text"] * args.get("repeat", 1)).encode("utf-8")
    sizes = {}
    for name, (pack, unpack) in WAYS.items():
        packed = pack(plain)
        if unpack(packed) != plain:
            raise ValueError(f"{name} lost something")
        sizes[name] = len(packed)
    return {"plain": len(plain), "sizes": sizes, "sha256": hashlib.sha256(plain).hexdigest()}
