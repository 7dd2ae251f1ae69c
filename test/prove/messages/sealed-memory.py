def leave(mark):
    calls = [
        ("mseal", act("memory"), 4096, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("mseal", act("memory"), 4096, 0)
