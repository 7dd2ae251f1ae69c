def leave(mark):
    calls = [
        ("rseq", 0, 32, 1, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("rseq", 0, 32, 1, 0)
