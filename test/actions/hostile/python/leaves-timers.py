"""Leaves alarms of every sort that would end or change the next action."""
import ctypes
import os
import signal
import threading


def main(args):
    left = []
    signal.alarm(1)
    left.append("alarm")
    for timer in (signal.ITIMER_VIRTUAL, signal.ITIMER_PROF, signal.ITIMER_REAL):
        signal.setitimer(timer, 0.3, 0.3)
        left.append("itimer")
    threading.Timer(0.2, lambda: os._exit(1)).start()
    libc = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    if libc.timer_create(1, None, ctypes.byref(timer)) == 0:
        times = (ctypes.c_long * 4)(0, 300_000_000, 0, 300_000_000)
        libc.timer_settime(timer, 0, times, None)
        left.append("timer")
    descriptor = libc.timerfd_create(1, 0)
    if descriptor >= 0:
        left.append("timerfd")
    return {"left": True, "which": left}
