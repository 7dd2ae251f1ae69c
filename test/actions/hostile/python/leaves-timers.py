"""Leaves alarms of every sort that would end or change the next action."""
import ctypes
import os
import signal
import threading


# Of real time so much that a busy machine has taken the answer by then.
LATE = 3


def main(args):
    left = []
    signal.alarm(LATE)
    left.append("alarm")
    for timer, seconds in ((signal.ITIMER_VIRTUAL, 0.3), (signal.ITIMER_PROF, 0.3), (signal.ITIMER_REAL, LATE)):
        signal.setitimer(timer, seconds, seconds)
        left.append("itimer")
    threading.Timer(LATE, lambda: os._exit(1)).start()
    libc = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    if libc.timer_create(1, None, ctypes.byref(timer)) == 0:
        times = (ctypes.c_long * 4)(LATE, 0, LATE, 0)
        libc.timer_settime(timer, 0, times, None)
        left.append("timer")
    descriptor = libc.timerfd_create(1, 0)
    if descriptor >= 0:
        left.append("timerfd")
    return {"left": True, "which": left}
