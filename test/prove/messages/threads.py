import os
import threading
import time


def leave(mark):
    for wait in (threading.Event().wait, lambda: all(True for _ in iter(int, 1)), lambda: time.sleep(3600)):
        threading.Thread(target=wait, name=mark, daemon=True).start()
    return word(act("churn_threads"))


def read():
    return sorted(os.listdir("/proc/self/task"))
