"""Tries to change what the kernel keeps about its process, and to do what no action may; tells what was refused."""
import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
# Numbers of x86_64. Each entry: a name, the call's number and its arguments.
PRCTL = 157
CALLS = {
    "not dumpable": (PRCTL, 4, 0),
    "no death signal": (PRCTL, 1, 0),
    "name": (PRCTL, 15, b"left"),
    "keep capabilities": (PRCTL, 8, 1),
    "subreaper": (PRCTL, 36, 1),
    "timer slack": (PRCTL, 29, 1_000_000),
    "time stamp counter": (PRCTL, 26, 1),
    "speculation": (PRCTL, 53, 0, 4),
    "syscall user dispatch": (PRCTL, 59, 1, 1, 2**63 - 1, 0),
    "huge pages on": (PRCTL, 41, 0, 0, 0, 0),
    "merge pages": (PRCTL, 67, 1, 0, 0, 0),
    "seccomp strict": (PRCTL, 22, 9999),
    "personality": (135, 0x0040000),
    "new session": (112,),
    "process group": (109, 0, 0),
    "supplementary groups": (116, 0, None),
    "user": (105, 0),
    "group": (106, 0),
    "capabilities": (126, None, None),
    "change root": (161, b"/tmp"),
    "mount": (165, b"none", b"/tmp", b"tmpfs", 0, None),
    "unmount": (166, b"/tmp", 2),
    "new namespaces": (272, 0x10000000 | 0x00020000),
    "host name": (170, b"left", 4),
    "traced": (101, 0, 0, 0, 0),
    "read another process": (310, 1, None, 0, None, 0, 0),
    "pid descriptor": (434, 1, 0),
    "ring": (425, 8, ctypes.create_string_buffer(120)),
    "asynchronous input": (206, 8, ctypes.byref(ctypes.c_ulong())),
    "user faults": (323, 0),
    "program": (321, 0, ctypes.create_string_buffer(120), 120),
    "performance events": (298, ctypes.create_string_buffer(120), 0, -1, -1, 0),
    "key": (248, b"user", b"left", b"left", 4, -4),
    "shared memory": (29, 0x4C454654, 4096, 0o1666),
    "semaphores": (64, 0x4C454654, 1, 0o1666),
    "message queue": (68, 0x4C454654, 0o1666),
    "posix queue": (240, b"left", 0o102, 0o666, None),
    "inotify": (294, 0),
    "fanotify": (300, 0, 0),
    "memory barrier": (324, 16, 0, 0),
    "protection key": (330, 0, 0),
    "input priority": (251, 1, 0, (3 << 13)),
    "scheduling attributes": (314, 0, ctypes.create_string_buffer(48), 0),
    "raw socket": (41, 17, 3, 768),
    "netlink socket": (41, 16, 3, 0),
    "virtual machine socket": (41, 40, 1, 0),
    "kernel log": (103, 3, ctypes.create_string_buffer(64), 64),
    "kernel module": (175, None, 0, b""),
    "reboot": (169, 0, 0, 0, None),
    "swap": (167, b"/tmp/left", 0),
    "quota": (179, 0, b"/tmp", 0, None),
    "file handle": (304, -1, None, 0),
    "landlock": (444, None, 0, 1),
    "secret memory": (447, 0),
    "lease": (72, 0, 1024, 1),
}


def main(args):
    answers = {}
    for path in ("oom_score_adj", "timerslack_ns", "coredump_filter", "comm", "clear_refs", "loginuid", "autogroup"):
        try:
            with open(f"/proc/self/{path}", "w") as file:
                file.write("7")
            answers[f"/proc/self/{path}"] = "done"
        except OSError as problem:
            answers[f"/proc/self/{path}"] = errno.errorcode[problem.errno]
    for name, (number, *arguments) in CALLS.items():
        ctypes.set_errno(0)
        wrapped = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
        answer = libc.syscall(ctypes.c_long(number), *wrapped)
        answers[name] = "done" if answer != -1 else errno.errorcode.get(ctypes.get_errno(), ctypes.get_errno())
    return {"left": True, "answers": answers}
