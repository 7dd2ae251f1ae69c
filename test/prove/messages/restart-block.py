import os
import signal
import time


def leave(mark):
    """A sleep that was stopped and went on leaves a restart block, which this call would resume for ever after."""
    runtime = os.getpid()
    if os.fork() == 0:
        for pause, number in ((0.05, signal.SIGSTOP), (0.05, signal.SIGCONT)):
            time.sleep(pause)
            os.kill(runtime, number)
        os._exit(0)
    act("nanosleep", put(bytes(8) + (200_000_000).to_bytes(8, "little")), 0)
    return [attempt("restart_syscall")]


def read():
    return act("restart_syscall")
