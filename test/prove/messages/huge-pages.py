def leave(mark):
    calls = [
        ("prctl", 41, 0, 0, 0, 0),
        ("prctl", 41, 1, 0, 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [line for line in open("/proc/self/status").read().split("\n") if line.startswith(("THP_enabled",))]
