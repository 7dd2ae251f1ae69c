def leave(mark):
    calls = [
        ("landlock_create_ruleset", 0, 0, 1),
        ("landlock_add_rule", 0, 1, act("memory"), 0),
        ("landlock_restrict_self", 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return act("landlock_create_ruleset", 0, 0, 1)
