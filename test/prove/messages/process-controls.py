def leave(mark):
    calls = [
        ("prctl", 26, 1),
        ("prctl", 33, 0, 0, 0, 0),
        ("prctl", 35, 1, 0, 0, 0),
        ("prctl", 57, 1, 0, 0, 0),
        ("prctl", 65, 1, 0, 0, 0),
        ("prctl", 67, 1, 0, 0, 0),
        ("prctl", 78, 1, 0, 0, 0),
        ("prctl", 31, 0, 0, 0, 0),
        ("prctl", 32, 0, 0, 0, 0),
        ("prctl", 14, 0),
        ("prctl", 1398164801, 0, act("memory"), 4096, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [act("prctl", option, act("memory")) for option in (13, 25, 34)] + list(take(4))
