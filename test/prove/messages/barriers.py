def leave(mark):
    calls = [
        ("membarrier", 4, 0),
        ("membarrier", 16, 0),
        ("membarrier", 64, 0),
        ("membarrier", 256, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("membarrier", 8, 0)
