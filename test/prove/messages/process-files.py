import os

NAMES = ("mem", "oom_score_adj", "comm", "clear_refs", "timerslack_ns", "coredump_filter", "uid_map", "setgroups", "attr/current")


def leave(mark):
    return [attempt("open", os.open, f"/proc/self/{name}", os.O_RDWR) for name in NAMES]


def read():
    return [open(f"/proc/self/{name}").read() for name in ("oom_score_adj", "coredump_filter", "uid_map")]
