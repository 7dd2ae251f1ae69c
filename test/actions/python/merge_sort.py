"""Sorts more than fits one file: splits, sorts and merges in the temporary directory."""
import heapq
import os
import shutil
import tempfile


def numbers(count):
    state = 12345
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2147483648
        yield state


def main(args):
    count, files = args.get("count", 2000), args.get("files", 8)
    folder = tempfile.mkdtemp(prefix="sort-")
    source = numbers(count * files)
    for index in range(files):
        with open(os.path.join(folder, f"part-{index}"), "w") as part:
            part.writelines(f"{n}\n" for n in sorted(next(source) for _ in range(count)))
    parts = [open(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]
    checksum, merged, previous, in_order = 0, 0, -1, True
    for n in heapq.merge(*(map(int, part) for part in parts)):
        in_order = in_order and previous <= n
        previous = n
        checksum = (checksum * 31 + n) % 4294967291
        merged += 1
    for part in parts:
        part.close()
    shutil.rmtree(folder)
    return {"merged": merged, "sorted": in_order, "checksum": checksum}
