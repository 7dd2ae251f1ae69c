def leave(mark):
    calls = [
        ("pkey_alloc", 0, 0),
        ("pkey_free", 1),
        ("pkey_mprotect", act("memory"), 4096, 3, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("pkey_alloc", 0, 0)
