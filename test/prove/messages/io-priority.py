def leave(mark):
    calls = [
        ("ioprio_set", 1, 0, 24583),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("ioprio_get", 1, 0)
