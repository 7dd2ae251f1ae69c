"""Leaves descriptors open: files, deleted files, pipes with bytes in them, event queues; and changes those it found."""
import builtins
import fcntl
import os
import select


def main(args):
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
    fds.append(os.open("/tmp/left-open", os.O_CREAT | os.O_RDWR))
    os.write(fds[-1], args["marker"].encode())
    fcntl.flock(fds[-1], fcntl.LOCK_EX)
    os.unlink("/tmp/left-open")
    for _ in range(20):
        reading, writing = os.pipe()
        os.write(writing, args["marker"].encode())
        fds += [reading, writing]
    builtins.kept = [select.epoll(), os.memfd_create("left") if hasattr(os, "memfd_create") else None]
    builtins.kept[0].register(fds[-2], select.EPOLLIN)
    fds.append(fcntl.fcntl(3, fcntl.F_DUPFD, 500))
    for fd in (1, 2, 3):
        os.set_inheritable(fd, True)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_APPEND)
    return {"left": True, "most": max(fds)}
