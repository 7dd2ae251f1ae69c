SOL_SOCKET, SO_ERROR, SO_COOKIE, SO_PEERPIDFD = 1, 4, 57, 77
CHANNEL = 3


def option(number):
    length = put((64).to_bytes(4, "little"), 256)
    result = act("getsockopt", CHANNEL, SOL_SOCKET, number, put(bytes(64)), length)
    return word(result) if result < 0 else take(int.from_bytes(take(4, 256), "little")).hex()


def leave(mark):
    """Every option there is, by one of two values."""
    for number in range(90):
        value = put(b"\1\0\0\0" * 4)
        if act("setsockopt", CHANNEL, SOL_SOCKET, number, value, 8) < 0:
            act("setsockopt", CHANNEL, SOL_SOCKET, number, value, 16)
    return "left"


def read():
    return {number: option(number) for number in range(90) if number not in (SO_ERROR, SO_COOKIE, SO_PEERPIDFD)}
