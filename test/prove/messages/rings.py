def leave(mark):
    calls = [
        ("io_uring_setup", 8, act("memory")),
        ("io_uring_enter", 0, 0, 0, 0, 0),
        ("io_uring_register", 0, 0, 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("io_uring_setup", 8, act("memory"))
