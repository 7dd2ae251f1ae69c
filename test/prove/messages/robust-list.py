def leave(mark):
    return word(act("set_robust_list", int(mark[:8] + "0", 16), 24))


def read():
    act("get_robust_list", 0, act("memory"), act("memory") + 8)
    return list(take(16))
