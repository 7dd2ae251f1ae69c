def leave(mark):
    calls = [
        ("io_setup", 8, act("memory")),
        ("io_submit", 0, 0, 0),
        ("io_getevents", 0, 0, 0, 0, 0),
        ("io_destroy", 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("io_setup", 8, act("memory"))
