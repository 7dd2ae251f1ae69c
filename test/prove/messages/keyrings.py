def leave(mark):
    calls = [
        ("add_key", act("memory"), act("memory"), act("memory"), 1, -4),
        ("keyctl", 0, -3, 1),
        ("keyctl", 1, 0),
        ("request_key", act("memory"), act("memory"), 0, -4),
    ]
    return [attempt(*call) for call in calls]


def read():
    return open("/proc/keys").read()
