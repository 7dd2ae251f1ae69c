import os
import time


def leave(mark):
    for is_daemon in (False, True, True):
        if os.fork() == 0:
            if is_daemon:
                os.setsid()
                if os.fork():
                    os._exit(0)
            time.sleep(3600)
    time.sleep(0.05)
    return "left"


def read():
    return sorted(name for name in os.listdir("/proc") if name.isdigit())
