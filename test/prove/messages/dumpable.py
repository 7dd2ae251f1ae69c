def leave(mark):
    calls = [
        ("prctl", 4, 0),
        ("prctl", 4, 1),
        ("prctl", 1499557217, -1),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("prctl", 3)
