def leave(mark):
    calls = [
        ("setsid",),
        ("setpgid", 0, 0),
        ("setpgid", 0, 1),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [act("getsid", 0), act("getpgid", 0)]
