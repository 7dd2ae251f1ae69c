"""
Reports everything that it can find out about the process and container it runs in. In a container that was used and
rewound, the report must be equal to that of a fresh one, but for the fields that hostile.json names.
"""
import atexit
import builtins
import ctypes
import decimal
import gc
import hashlib
import locale
import os
import random
import re
import resource
import secrets
import signal
import socket
import ssl
import stat
import sys
import tempfile
import threading
import time
import types
import uuid
import warnings

WRITABLE = ("/tmp", "/var/tmp", "/home/action", "/home", "/dev/shm", "/dev/mqueue", "/run", "/var", "/etc", "/usr", "/opt", "/")
ALWAYS = ("/tmp", "/var/tmp", "/home", "/dev/shm")
VOLATILE_STATUS = re.compile(r"^(Vm|Rss|Hugetlb|voluntary|nonvoluntary|x86_Thread|Uid|Gid|Groups|Pid|Tgid|Ngid|PPid|NSt?p|NSs|TracerPid)")
# Spelt backwards, so that this source does not hold what it looks for.
BACKWARDS = b"NOITCA-TSAL-EHT-YB-DNIHEB-TFEL"


def attempt(step, *arguments):
    try:
        return step(*arguments)
    except Exception as problem:
        return f"failed: {getattr(problem, 'strerror', None) or type(problem).__name__}"


def read(path):
    def step():
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")

    return attempt(step)


def lines(path):
    return [line for line in read(path).split("\n") if line]


def describe(value):
    """A thing's type and, of functions, a digest of their code."""
    if isinstance(value, types.FunctionType):
        code = value.__code__
        names = ",".join(code.co_names + code.co_varnames)
        return f"function {value.__qualname__} {hashlib.sha256(code.co_code + names.encode()).hexdigest()[:12]}"
    if isinstance(value, type):
        members = sorted((name, type(member).__name__) for name, member in vars(value).items())
        return f"class {value.__qualname__} {hashlib.sha256(repr(members).encode()).hexdigest()[:12]}"
    return f"{type(value).__name__} {getattr(value, '__qualname__', '')}"


def modules():
    found = {}
    for name, module in sorted(sys.modules.items()):
        if not isinstance(module, types.ModuleType):
            found[name] = f"not a module: {type(module).__name__}"
            continue
        members = sorted(f"{key}: {describe(value)}" for key, value in vars(module).items() if key != "__warningregistry__")
        found[name] = [len(members), hashlib.sha256("\n".join(members).encode()).hexdigest()[:16]]
    return found


def walk(folder):
    found = []
    for top, folders, names in os.walk(folder, onerror=lambda problem: found.append(f"{problem.filename!r} {problem.strerror}")):
        if top.count("/") > 6:
            folders.clear()
        for name in folders + names:
            path = os.path.join(top, name)
            info = attempt(os.lstat, path)
            if isinstance(info, str):
                found.append(f"{path!r} {info}")
                continue
            size = info.st_size if stat.S_ISREG(info.st_mode) else ""
            extra = attempt(lambda path=path: os.listxattr(path, follow_symlinks=False))
            found.append(f"{path!r} {info.st_mode:o} {size} {info.st_nlink} {extra or ''}")
    return sorted(found)


def files():
    found = {}
    for folder in WRITABLE:
        info = attempt(os.stat, folder)
        writable = os.access(folder, os.W_OK)
        found[folder] = {"mode": info if isinstance(info, str) else f"{info.st_mode:o}", "writable": writable}
        if not writable and folder not in ALWAYS:
            continue
        found[folder]["entries"] = walk(folder)
        space = attempt(os.statvfs, folder)
        if writable and not isinstance(space, str):
            found[folder]["used"] = [space.f_blocks - space.f_bfree, space.f_files - space.f_ffree, space.f_blocks]
    return found


def descriptors():
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        target = attempt(os.readlink, f"/proc/self/fd/{fd}")
        if target.startswith("failed") or re.fullmatch(r"/proc/\d+/fd", target):
            continue
        info = [line for line in lines(f"/proc/self/fdinfo/{fd}") if re.match("flags|pos|tfd|inotify|clockid|lock", line)]
        info = [re.sub(r"\s+", " ", re.sub(r"ino:\S+|sdev:\S+", "", line)).strip() for line in info]
        found[fd] = [re.sub(r"\[\d+\]", "[]", target), attempt(os.get_inheritable, int(fd)), *sorted(info)]
    return found


def channel():
    """Options of the socket between the runtime and the host."""
    end = socket.socket(fileno=3)
    try:
        options = ("RCVTIMEO", "SNDTIMEO", "RCVLOWAT", "SNDBUF", "RCVBUF", "PRIORITY", "LINGER", "KEEPALIVE")
        return {name: end.getsockopt(socket.SOL_SOCKET, getattr(socket, f"SO_{name}"), 16).hex() for name in options}
    finally:
        end.detach()


def threads():
    found = []
    for task in os.listdir("/proc/self/task"):
        status = [l for l in lines(f"/proc/self/task/{task}/status") if re.match("Name|Sig(Blk|Pnd)|Seccomp|NoNewPrivs|CapEff", l)]
        fields = read(f"/proc/self/task/{task}/stat").rpartition(") ")[2].split(" ")
        found.append(", ".join(status + [f"priority {fields[15]} nice {fields[16]} policy {fields[38]}"]))
    return sorted(found)


def processes():
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    return sorted(f"{pid if int(pid) <= 2 else ''} {read(f'/proc/{pid}/comm').strip()}".strip() for pid in pids)


def sockets():
    found = {}
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "packet", "netlink", "unix", "icmp"):
        rows = [line.split() for line in lines(f"/proc/self/net/{kind}")[1:]]
        if kind in ("tcp", "tcp6", "udp", "udp6"):
            found[kind] = sorted(" ".join(row[1:5]) for row in rows)
        elif kind == "unix":
            found[kind] = sorted(" ".join([row[4], row[5], *row[7:]]) for row in rows)
        else:
            found[kind] = len(rows)
    found["devices"] = sorted(line.strip().split(":")[0] for line in lines("/proc/self/net/dev")[2:])
    found["neighbours"] = lines("/proc/self/net/arp")[1:]
    found["routes"] = [" ".join(line.split("\t")[:4]) for line in lines("/proc/self/net/route")[1:]]
    return found


def mappings():
    """Names and rights of mappings; numbers and places of the unnamed ones depend on the allocator."""
    parts = [line.split() for line in lines("/proc/self/maps")]
    return sorted({f"{part[1]} {' '.join(part[5:])}" for part in parts})


def code():
    """A digest of every executable mapping of a file, as it is in memory."""
    found = {}
    for line in lines("/proc/self/maps"):
        part = line.split()
        if len(part) < 6 or part[1] != "r-xp" or not part[5].startswith("/"):
            continue
        start, end = (int(edge, 16) for edge in part[0].split("-"))
        found[f"{part[5]} {part[2]}"] = hashlib.sha256(ctypes.string_at(start, end - start)).hexdigest()[:16]
    return found


def markers():
    """How often the marker of another action lies in this process's memory."""

    def step():
        found, total = 0, 0
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            for line in lines("/proc/self/maps"):
                part = line.split()
                if not part[1].startswith("rw") or (len(part) > 5 and part[5].startswith("[v")):
                    continue
                start, end = (int(edge, 16) for edge in part[0].split("-"))
                for position in range(start, end, 1 << 20):
                    memory.seek(position)
                    chunk = memory.read(min((1 << 20) + len(BACKWARDS), end - position)) or b""
                    total += len(chunk)
                    found += chunk[::-1].count(BACKWARDS)
        return {"found": found, "readable": total > 0}

    return attempt(step)


def umask():
    found = os.umask(0o077)
    os.umask(found)
    return found


def handler(number):
    def step():
        found = signal.getsignal(number)
        return getattr(found, "name", None) or describe(found)

    return attempt(step)


def main(args):
    early = {"openDescriptors": descriptors(), "threads": threads(), "mappings": mappings()}
    return {
        **early,
        "modules": modules(),
        "builtIns": sorted(f"{name}: {describe(value)}" for name, value in vars(builtins).items()),
        "interpreter": {
            "path": sys.path,
            "arguments": sys.argv,
            "finders": [describe(finder) for finder in sys.meta_path],
            "hooks": [describe(hook) for hook in sys.path_hooks],
            "cachedPaths": sorted(sys.path_importer_cache),
            "recursion": sys.getrecursionlimit(),
            "switching": sys.getswitchinterval(),
            "flags": [sys.dont_write_bytecode, sys.pycache_prefix, *sys.flags],
            "tracing": [describe(sys.gettrace()), describe(sys.getprofile())],
            "exceptions": [describe(sys.excepthook), describe(sys.displayhook), describe(sys.unraisablehook)],
            "streams": [describe(stream) for stream in (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)],
            "encodings": [getattr(stream, "encoding", None) for stream in (sys.stdout, sys.stderr)],
            "atExit": atexit._ncallbacks(),
            "threads": sorted(thread.name for thread in threading.enumerate()),
            "collector": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)],
            "warnings": [repr(entry) for entry in warnings.filters],
            "decimals": repr(decimal.getcontext()),
            "locale": attempt(locale.setlocale, locale.LC_ALL),
            "zone": [time.tzname, time.timezone],
            "signals": {str(number): handler(number) for number in range(1, 65)},
            "wakeUp": signal.set_wakeup_fd(-1),
        },
        "process": {
            "cwd": attempt(os.getcwd),
            "umask": oct(umask()),
            "environment": dict(os.environ),
            "cEnvironment": sorted(entry.decode("utf-8", "replace").partition("=")[0] for entry in c_environment()),
            "pid": os.getpid(),
            "parent": os.getppid(),
            "group": [os.getpgid(0), os.getsid(0)],
            "user": [*os.getresuid(), *os.getresgid(), *os.getgroups()],
            "nice": os.getpriority(os.PRIO_PROCESS, 0),
            "affinity": sorted(os.sched_getaffinity(0)),
            "scheduler": os.sched_getscheduler(0),
            "limits": [resource.getrlimit(number) for number in range(16)],
            "intervals": [signal.getitimer(timer) for timer in (0, 1, 2)],
            "blocked": sorted(int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])),
            "pending": sorted(int(number) for number in signal.sigpending()),
        },
        "kernel": {
            "status": [line for line in lines("/proc/self/status") if not VOLATILE_STATUS.match(line)],
            "timers": [line for line in lines("/proc/self/timers") if not line.startswith("ID")],
            "name": read("/proc/self/comm").strip(),
            "personality": read("/proc/self/personality").strip(),
            "oomScore": read("/proc/self/oom_score_adj").strip(),
            "timerSlack": read("/proc/self/timerslack_ns").strip(),
            "dump": read("/proc/self/coredump_filter").strip(),
            "controls": [ctypes.CDLL(None).prctl(option, 0, 0, 0, 0) for option in (3, 7, 23, 27, 30, 39, 42)],
            "ipc": [len(lines(f"/proc/sysvipc/{kind}")) for kind in ("shm", "sem", "msg")],
            "keys": sorted(re.sub(r"\d+", "", " ".join(line.split()[7:])) for line in lines("/proc/keys")),
            "mounts": sorted(" ".join([*line.split(" ")[4:6], line.partition(" - ")[2].split(" ")[0]]) for line in lines("/proc/self/mountinfo")),
            "hostname": os.uname().nodename,
            "cgroup": read("/proc/self/cgroup"),
        },
        "channel": attempt(channel),
        "processes": processes(),
        "sockets": sockets(),
        "files": files(),
        "code": code(),
        "markers": markers(),
        "random": {
            "random": random.random(),
            "secrets": secrets.token_hex(16),
            "openssl": ssl.RAND_bytes(16).hex(),
            "id": str(uuid.uuid4()),
            "clockId": str(uuid.uuid1()),
            "name": next(tempfile._get_candidate_names()),
        },
    }


def c_environment():
    pointers = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    index = 0
    while pointers[index] is not None:
        yield pointers[index]
        index += 1
