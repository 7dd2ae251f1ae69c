def leave(mark):
    return word(act("identification", 1))


def read():
    return act("identification", -1)
