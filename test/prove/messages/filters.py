def leave(mark):
    calls = [
        ("seccomp", 0, 0, 0),
        ("seccomp", 1, 0, act("memory")),
        ("prctl", 22, 1),
        ("prctl", 22, 2, act("memory")),
        ("seccomp", 2, 0, act("memory")),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [line for line in open("/proc/self/status").read().split("\n") if line.startswith(("Seccomp", "NoNewPrivs"))]
