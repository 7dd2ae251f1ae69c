"""Leaves its process at the lowest priority, on one processor and with tight limits, as far as it may."""
import errno
import os
import resource


def main(args):
    refused = {}

    def attempt(name, step):
        try:
            step()
        except (OSError, ValueError) as problem:
            refused[name] = errno.errorcode.get(getattr(problem, "errno", None), str(problem))

    attempt("nice", lambda: os.nice(19))
    attempt("affinity", lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}))
    attempt("scheduler", lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)))
    for name in ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_STACK", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_MEMLOCK"):
        number = getattr(resource, name)
        now = resource.getrlimit(number)[1]
        least = 64 if name == "RLIMIT_NOFILE" else 1 << 20
        wish = least if now == resource.RLIM_INFINITY else min(least, now)
        attempt(name, lambda number=number, wish=wish: resource.setrlimit(number, (wish, wish)))
    return {"left": True, "refused": refused}
