def leave(mark):
    calls = [
        ("mlock", act("memory"), 4096),
        ("mlock2", act("memory"), 4096, 1),
        ("mlockall", 3),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [line for line in open("/proc/self/status").read().split("\n") if line.startswith(("VmLck", "VmPin"))]
