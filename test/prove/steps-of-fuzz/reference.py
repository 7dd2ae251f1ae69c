"""The fixed action after each fuzzed one: reports what it sees of its world, the same in every fresh container."""
import atexit
import builtins
import decimal
import fractions
import gc
import hashlib
import json
import locale
import math
import os
import random
import re
import secrets
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import traceback
import types
import uuid
import warnings
import zlib

VOLATILE = re.compile(r"^(Vm|Rss|Hugetlb|voluntary|nonvoluntary|x86_Thread|Uid|Gid|Groups|Pid|Tgid|Ngid|PPid|NSt?p|NSs|TracerPid|SigQ)")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def lines(path):
    with open(path) as file:
        return file.read().splitlines()


def describe(value):
    if isinstance(value, types.FunctionType):
        return f"{value.__qualname__} {value.__code__.co_filename} {value.__code__.co_firstlineno}"
    return f"{type(value).__name__} {getattr(value, '__qualname__', '')}"


def shape(module):
    return digest("\n".join(f"{name}: {describe(value)}" for name, value in vars(module).items()))


def descriptors():
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
            info = [re.sub(r"ino:\S+|sdev:\S+|\s+", " ", line) for line in lines(f"/proc/self/fdinfo/{fd}") if re.match("flags|pos|tfd|lock", line)]
        except FileNotFoundError:
            continue
        found[fd] = [re.sub(r"\[\d+\]", "[]", target), *sorted(info)]
    return found


def threads():
    return [[line for line in lines(f"/proc/self/task/{task}/status") if re.match("Name|Sig(Blk|Pnd)|Seccomp|CapEff", line)] for task in os.listdir("/proc/self/task")]


def files(folder):
    info, space = os.stat(folder), os.statvfs(folder)
    return [info.st_mode, info.st_nlink, space.f_blocks - space.f_bfree, space.f_files - space.f_ffree, *map(ascii, os.listdir(folder))]


def umask():
    found = os.umask(0o077)
    os.umask(found)
    return found


def interpreter():
    return {
        "modules": list(sys.modules),
        "members": {module.__name__: shape(module) for module in (builtins, os, sys, json, re, struct, signal, ssl, traceback, random, time, types)},
        "paths": [sys.path, sys.argv, list(map(describe, sys.meta_path)), list(map(describe, sys.path_hooks)), sorted(sys.path_importer_cache)],
        "settings": [sys.getrecursionlimit(), sys.getswitchinterval(), sys.dont_write_bytecode, sys.get_int_max_str_digits(), *sys.flags],
        "hooks": list(map(describe, (sys.gettrace(), sys.getprofile(), sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook, builtins.__import__))),
        "streams": [describe(stream) + str(getattr(stream, "encoding", None)) + str(getattr(stream, "line_buffering", None)) for stream in (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__)],
        "collector": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks), gc.get_freeze_count(), len(gc.garbage)],
        "registered": [atexit._ncallbacks(), [thread.name for thread in threading.enumerate()], list(map(repr, warnings.filters)), socket.getdefaulttimeout()],
        "context": [repr(decimal.getcontext()), decimal.DefaultContext.prec, locale.setlocale(locale.LC_ALL), time.tzname],
        "signals": [str(signal.getsignal(number)) for number in range(1, 65)] + [signal.set_wakeup_fd(-1)],
    }


def process():
    return {
        "place": [os.getcwd(), umask(), os.getpid(), os.getppid(), os.getpgid(0), os.getsid(0)],
        "environment": dict(os.environ),
        "schedule": [os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0)), os.sched_getscheduler(0)],
        "timers": [signal.getitimer(number) for number in range(3)],
        "signals": [sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), sorted(signal.sigpending())],
    }


def kernel():
    return {
        "status": [line for line in lines("/proc/self/status") if not VOLATILE.match(line)],
        "limits": lines("/proc/self/limits"),
        "timers": lines("/proc/self/timers"),
        "name": lines("/proc/self/comm"),
        "processes": [lines(f"/proc/{pid}/comm") for pid in os.listdir("/proc") if pid.isdigit()],
        "sockets": [re.sub(r" (alloc|mem|orphan) \d+", "", line) for kind in ("", "6") for line in lines(f"/proc/self/net/sockstat{kind}")],
        "local": len(lines("/proc/self/net/unix")),
        "mappings": sorted({" ".join(line.split()[1:2] + line.split()[5:]) for line in lines("/proc/self/maps")}),
    }


def compute():
    numbers = [i * 7919 % 1009 for i in range(200)]
    text = json.dumps({"numbers": numbers, "day": time.strftime("%c", time.gmtime(86400 * 365)), "big": 3**80})
    answer = []
    worker = threading.Thread(target=lambda: answer.append(sum(numbers)))
    worker.start()
    worker.join()
    one, other = socket.socketpair()
    one.sendall(b"left")
    return {
        "sorted": sorted(map(str, numbers))[:10],
        "text": digest(re.sub(r"(\d)(\d)", r"\2\1", text)),
        "packed": digest(zlib.decompress(zlib.compress(text.encode())).decode()),
        "sums": [math.fsum(map(math.sin, numbers)), 0.1 + 0.2, 1 / 3, math.exp(1), str(decimal.Decimal(2).sqrt()), str(fractions.Fraction(0.1))],
        "made": eval("[x.upper() for x in 'left'] + [7 * 6, 200 + 7, b'left'.hex()]"),
        "thread": answer,
        "received": other.recv(10).decode(),
        "raised": traceback.format_exception_only(ValueError("shown")),
    }


def main(args):
    early = {"descriptors": descriptors(), "threads": threads()}
    return {
        **early,
        "interpreter": interpreter(),
        "process": process(),
        "kernel": kernel(),
        "files": [files(folder) for folder in ("/tmp", "/dev/shm", "/home/action")],
        "computed": compute(),
        "random": {
            "random": random.random(),
            "gauss": random.gauss(0, 1),
            "secret": secrets.token_hex(16),
            "openssl": ssl.RAND_bytes(16).hex(),
            "id": str(uuid.uuid4()),
        },
    }
