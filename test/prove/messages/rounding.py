def leave(mark):
    return word(act("rounding", 3))


def read():
    return act("rounding", -1)
