def leave(mark):
    calls = [
        ("prctl", 53, 0, 4, 0, 0),
        ("prctl", 53, 1, 4, 0, 0),
        ("prctl", 53, 1, 2, 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [act("prctl", 52, which, 0, 0, 0) for which in (0, 1)]
