def leave(mark):
    calls = [
        ("clock_settime", 0, act("memory")),
        ("settimeofday", act("memory"), 0),
        ("adjtimex", act("memory")),
        ("clock_adjtime", 0, act("memory")),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("clock_settime", 0, act("memory"))
