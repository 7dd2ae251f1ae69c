def leave(mark):
    calls = [
        ("prctl", 59, 1, 0, 0, act("memory")),
        ("prctl", 59, 0, 0, 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("prctl", 59, 0, 0, 0, 0)
