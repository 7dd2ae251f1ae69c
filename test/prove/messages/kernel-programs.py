def leave(mark):
    calls = [
        ("bpf", 0, act("memory"), 64),
        ("perf_event_open", act("memory"), 0, -1, -1, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("bpf", 0, act("memory"), 64)
