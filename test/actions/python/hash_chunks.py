"""Hashes the chunks of a made-up file on a pool of threads, as an upload check does."""
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor


def chunk(index, size):
    return hashlib.shake_128(index.to_bytes(4, "big")).digest(size)


def main(args):
    count, size = args.get("chunks", 16), args.get("size", 65536)
    names = set()

    def digest(index):
        names.add(threading.current_thread().name)
        return hashlib.sha256(chunk(index, size)).hexdigest()

    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="hash") as pool:
        digests = list(pool.map(digest, range(count)))
    top = hashlib.sha256("".join(digests).encode()).hexdigest()
    return {"chunks": count, "root": top, "own_threads": all(name.startswith("hash") for name in names)}
