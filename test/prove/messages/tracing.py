import os
import signal
import time

TRACEME, ATTACH, SEIZE = 0, 16, 16902


def sleeper():
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    return child


def leave(mark):
    own, child, other = os.getpid(), sleeper(), sleeper()
    number = os.pidfd_open(child)
    found = [
        attempt("ptrace", SEIZE, other, 0, 0),
        attempt("ptrace", ATTACH, child, 0, 0),
        attempt("process_vm_readv", child, 0, 0, 0, 0, 0),
        attempt("process_vm_writev", child, 0, 0, 0, 0, 0),
        attempt("process_madvise", number, 0, 0, 0, 0),
        attempt("process_mrelease", number, 0),
        attempt("pidfd_getfd", number, 0, 0),
        attempt("kcmp", own, child, 0, 0, 0),
    ]
    for process in (child, other):
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    # Last: whoever is traced stops at every signal, the end of a child included.
    return found + [attempt("ptrace", TRACEME, 0, 0, 0)]


def read():
    return [line for line in open("/proc/self/status").read().split("\n") if line.startswith(("TracerPid",))]
