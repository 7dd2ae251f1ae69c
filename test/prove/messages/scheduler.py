import struct


def leave(mark):
    attributes = put(struct.pack("IIqi", 48, 0, 0, 19) + bytes(28), 64)
    calls = [
        ("sched_setscheduler", 0, 3, act("memory")),
        ("sched_setparam", 0, act("memory")),
        ("sched_setattr", 0, attributes, 0),
        ("prctl", 62, 1, 0, 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("sched_getscheduler", 0)
