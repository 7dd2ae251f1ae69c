"""Fills every place it may write to with large and with many files, and answers."""
import errno


def fill(folder):
    refused = []
    try:
        with open(f"{folder}/large", "wb", buffering=0) as file:
            for _ in range(4096):
                if file.write(b"x" * (1 << 20)) < 1 << 20:
                    break
    except OSError as problem:
        refused.append(errno.errorcode[problem.errno])
    try:
        for i in range(20_000):
            open(f"{folder}/small-{i}", "w").close()
    except OSError as problem:
        refused.append(errno.errorcode[problem.errno])
    return refused


def main(args):
    return {"answered": True, "refused": {folder: fill(folder) for folder in ("/tmp", "/home/action", "/dev/shm")}}
