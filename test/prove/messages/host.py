import os


def leave(mark):
    calls = [
        ("sethostname", act("memory"), 4),
        ("setdomainname", act("memory"), 4),
        ("reboot", 4276215469, 672274793, 0, 0),
        ("swapoff", act("memory")),
        ("acct", 0),
        ("syslog", 2, act("memory"), 64),
        ("init_module", 0, 0, 0),
        ("kexec_load", 0, 0, 0, 0),
    ]
    return [attempt(*call) for call in calls]


def read():
    return os.uname().nodename
