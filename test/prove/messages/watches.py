import os

FAN_REPORT_FID, FAN_MARK_ADD, OPEN = 0x200, 1, 0x20


def leave(mark):
    file = put(os.__file__.encode() + b"\0")
    watch, group = attempt("inotify_init1", 0), attempt("fanotify_init", FAN_REPORT_FID, os.O_RDONLY)
    return [
        attempt("inotify_init"),
        watch,
        attempt("inotify_add_watch", watch["result"], file, OPEN),
        group,
        attempt("fanotify_mark", group["result"], FAN_MARK_ADD, OPEN, -100, file),
    ]


def read():
    return len(os.listdir("/proc/self/fd"))
