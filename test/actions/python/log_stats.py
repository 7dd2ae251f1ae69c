"""Reads an access log and tells how long requests took, by path."""
import re
import statistics
from collections import defaultdict
from datetime import datetime

LINE = re.compile(r'(?P<host>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+) (?P<ms>\d+)')


def stats(params):
    times = defaultdict(list)
    failed = 0
    unread = 0
    first = last = None
    for line in params["log"].splitlines():
        match = LINE.match(line)
        if not match:
            unread += 1
            continue
        when = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z")
        first = min(first or when, when)
        last = max(last or when, when)
        failed += match["status"].startswith("5")
        times[match["path"]].append(int(match["ms"]))
    return {
        "paths": {
            path: {"n": len(ms), "median": statistics.median(ms), "deviation": round(statistics.pstdev(ms), 3)}
            for path, ms in sorted(times.items())
        },
        "failed": failed,
        "unread": unread,
        "seconds": (last - first).total_seconds() if first else 0,
    }
