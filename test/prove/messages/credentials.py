def leave(mark):
    calls = [
        ("capset", act("memory"), act("memory")),
        ("setuid", 0),
        ("setresuid", 0, 0, 0),
        ("setreuid", 0, 0),
        ("setgid", 0),
        ("setresgid", 0, 0, 0),
        ("setregid", 0, 0),
        ("setgroups", 1, act("memory")),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [line for line in open("/proc/self/status").read().split("\n") if line.startswith(("Uid", "Gid", "Groups", "Cap"))]
