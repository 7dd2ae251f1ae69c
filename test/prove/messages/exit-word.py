def leave(mark):
    return word(act("set_tid_address", int(mark[:10], 16)))


def read():
    act("prctl", 40, act("memory"))
    return list(take(8))
