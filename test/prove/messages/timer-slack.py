def leave(mark):
    calls = [
        ("prctl", 29, 1000000),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("prctl", 30)
