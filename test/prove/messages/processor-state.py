def leave(mark):
    calls = [
        ("arch_prctl", 4114, 0),
        ("arch_prctl", 4131, 18),
        ("arch_prctl", 20481, 1),
        ("map_shadow_stack", 0, 4096, 0),
        ("modify_ldt", 1, act("memory"), 16),
        ("set_thread_area", act("memory")),
        ("ioperm", 0, 1, 1),
        ("iopl", 3),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [act("arch_prctl", 0x1021, act("memory")), *take(8)]
