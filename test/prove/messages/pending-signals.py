import os
import signal


def leave(mark):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGCHLD, *range(40, 64)):
        os.kill(os.getpid(), number)
    return word(act("rt_sigqueueinfo", os.getpid(), 35, put(bytes.fromhex("23000000 00000000 ffffffff" + mark))))


def read():
    return [line for line in open("/proc/self/status") if line.startswith(("SigPnd", "ShdPnd", "SigQ"))]
