import fcntl

CHANNEL = 3


def leave(mark):
    """The mark says which bytes of a file that has none."""
    fcntl.lockf(CHANNEL, fcntl.LOCK_EX, int(mark[:4], 16) + 1, int(mark[4:8], 16))
    return "left"


def read():
    with open(f"/proc/self/fdinfo/{CHANNEL}") as file:
        return [line.split()[6:] for line in file if line.startswith("lock:")]
