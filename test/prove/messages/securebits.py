def leave(mark):
    calls = [
        ("prctl", 28, 0),
        ("prctl", 8, 1),
        ("prctl", 47, 2, 0, 0, 0),
        ("prctl", 24, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [act("prctl", option) for option in (7, 27)]
