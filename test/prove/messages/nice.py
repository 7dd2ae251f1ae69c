def leave(mark):
    calls = [
        ("setpriority", 0, 0, 5),
        ("setpriority", 1, 0, 5),
        ("setpriority", 2, 0, 5),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("getpriority", 0, 0)
