import signal


def leave(mark):
    signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))
    return "left"


def read():
    return sorted(int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, []))
