# Far above the program and its heap, far below all other mappings.
NOWHERE = 0x8000000000


def leave(mark):
    return "left" if act("fault", NOWHERE + int(mark[:7], 16)) == 11 else "no fault"


def read():
    return [act("last_fault", which) for which in range(3)]
