"""Leaves every signal handled, ignored or blocked, one pending, and an alternate stack."""
import ctypes
import os
import signal


def main(args):
    left = 0
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN if number % 2 else (lambda *_: None))
            left += 1
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD, signal.SIGTERM})
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    signal.set_wakeup_fd(-1)
    memory = ctypes.create_string_buffer(1 << 16)
    stack = (ctypes.c_void_p * 3)(ctypes.addressof(memory), 0, 1 << 16)
    ctypes.CDLL(None).sigaltstack(stack, None)
    return {"left": left > 0}
