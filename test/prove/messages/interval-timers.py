import signal


def leave(mark):
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 1000 + int(mark[:4], 16), 1000)
    return "left"


def read():
    return [timer[1] for timer in map(signal.getitimer, (0, 1, 2))]
