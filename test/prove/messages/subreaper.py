def leave(mark):
    calls = [
        ("prctl", 36, 1),
        ("prctl", 36, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [act("prctl", 37, act("memory")), *take(4)]
