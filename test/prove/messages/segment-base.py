def leave(mark):
    return word(act("arch_prctl", 0x1001, int(mark[:11], 16)))


def read():
    act("arch_prctl", 0x1004, act("memory"))
    return list(take(8))
