def leave(mark):
    calls = [
        ("setrlimit", 7, act("memory")),
        ("prlimit64", 0, 7, act("memory"), 0),
        ("prlimit64", 0, 3, act("memory"), 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return open("/proc/self/limits").read()
