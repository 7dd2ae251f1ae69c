"""Leaves threads: one busy, one asleep, one in a system call, and one that Python does not know."""
import ctypes
import threading
import time


def busy():
    while True:
        pass


def main(args):
    for target in (busy, lambda: time.sleep(600), threading.Event().wait):
        threading.Thread(target=target, daemon=True, name=args["marker"]).start()
    libc = ctypes.CDLL(None)
    handle = ctypes.c_ulong()
    sleep = ctypes.cast(libc.sleep, ctypes.c_void_p)
    libc.pthread_create(ctypes.byref(handle), None, sleep, ctypes.c_void_p(600))
    return {"left": threading.active_count() > 1}
