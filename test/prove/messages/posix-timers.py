def leave(mark):
    calls = [
        ("timer_create", 1, 0, act("memory")),
        ("timer_settime", 0, 0, act("memory"), 0),
        ("timer_delete", 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return open("/proc/self/timers").read()
