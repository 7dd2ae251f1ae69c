def leave(mark):
    calls = [
        ("personality", 262144),
        ("personality", 8),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("personality", 0xFFFFFFFF)
