def leave(mark):
    calls = [
        ("userfaultfd", 1),
        ("userfaultfd", 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("userfaultfd", 1)
