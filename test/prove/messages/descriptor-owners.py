F_GETOWN, F_SETOWN, F_GETSIG, F_SETSIG, F_SETOWN_EX = 9, 8, 11, 10, 15
FIOASYNC, FIOSETOWN, SIOCSPGRP = 0x5452, 0x8901, 0x8902


def leave(mark):
    group = put((2).to_bytes(4, "little") * 2)
    calls = [("fcntl", F_SETOWN, 2), ("fcntl", F_SETSIG, 34), ("fcntl", F_SETOWN_EX, group)]
    calls += [("ioctl", FIOASYNC, group), ("ioctl", FIOSETOWN, group), ("ioctl", SIOCSPGRP, group)]
    return [attempt(call, number, *rest) for call, *rest in calls for number in (1, 3)]


def read():
    return [act("fcntl", number, command, 0) for number in range(4) for command in (F_GETOWN, F_GETSIG)]
