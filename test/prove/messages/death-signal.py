def leave(mark):
    calls = [
        ("prctl", 1, 0),
        ("prctl", 1, 10),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [act("prctl", 2, act("memory")), *take(4)]
