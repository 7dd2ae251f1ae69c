def leave(mark):
    calls = [
        ("sched_setaffinity", 0, 8, act("memory")),
        ("set_mempolicy", 1, 0, 0),
        ("mbind", act("memory"), 4096, 1, 0, 0, 0),
        ("migrate_pages", 0, 0, 0, 0),
        ("move_pages", 0, 0, 0, 0, 0, 0),
        ("set_mempolicy_home_node", act("memory"), 4096, 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return [line for line in open("/proc/self/status").read().split("\n") if line.startswith(("Cpus_allowed", "Mems_allowed"))]
