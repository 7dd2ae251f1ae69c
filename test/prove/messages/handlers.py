import signal


def leave(mark):
    signal.signal(signal.SIGUSR1, lambda *_: mark)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return "left"


def read():
    return [line for line in open("/proc/self/status") if line.startswith(("SigIgn", "SigCgt"))]
