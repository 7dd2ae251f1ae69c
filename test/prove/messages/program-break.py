def leave(mark):
    return word(act("brk", act("brk", 0) + int(mark[:4], 16) + 1))


def read():
    return act("brk", 0)
