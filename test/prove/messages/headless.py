import os
import threading
import time


def leave(mark):
    """A grandchild whose first thread has ended: it looks like a zombie and goes on."""
    if os.fork() == 0:
        if os.fork() == 0:
            threading.Thread(target=time.sleep, args=(3600,)).start()
            act("exit", 0)
        os._exit(0)
    os.wait()
    time.sleep(0.1)
    return "left"


def read():
    return sorted(name for name in os.listdir("/proc") if name.isdigit())
