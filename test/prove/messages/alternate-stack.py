def leave(mark):
    size = (1 << 14).to_bytes(8, "little")
    return word(act("sigaltstack", put(int(mark[:10] + "00", 16).to_bytes(8, "little") + bytes(8) + size), 0))


def read():
    act("sigaltstack", 0, act("memory"))
    return list(take(24))
