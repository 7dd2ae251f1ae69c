import fcntl

CHANNEL = 3


def leave(mark):
    fcntl.flock(CHANNEL, fcntl.LOCK_EX)
    return "left"


def read():
    with open(f"/proc/self/fdinfo/{CHANNEL}") as file:
        return sum(line.startswith("lock:") for line in file)
