def leave(mark):
    return word(act("prctl", 15, put(mark.encode()[:15] + b"\0")))


def read():
    return open("/proc/self/comm").read()
