import os

F_SETLEASE, F_GETLEASE, F_NOTIFY, F_SET_RW_HINT, F_SET_FILE_RW_HINT, F_SETDELEG = 1024, 1025, 1026, 1036, 1038, 1040


def leave(mark):
    file = os.open("/tmp/file", os.O_RDWR | os.O_CREAT)
    folder = os.open("/tmp", os.O_RDONLY)
    hint = put(bytes([5, 0, 0, 0, 0, 0, 0, 0]))
    return [
        attempt("fcntl", file, F_SETLEASE, 0),
        attempt("fcntl", folder, F_NOTIFY, 0x8000000F),
        attempt("fcntl", file, F_SET_RW_HINT, hint),
        attempt("fcntl", file, F_SET_FILE_RW_HINT, hint),
        attempt("fcntl", folder, F_SETDELEG, hint),
    ]


def read():
    return [act("fcntl", number, F_GETLEASE, 0) for number in range(4)]
