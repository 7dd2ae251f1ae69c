"""Steps about the interpreter: its objects, its modules, its hooks."""


# step: objects of all sizes kept
def heap_grown(n, m):
    import builtins
    builtins.kept = [{"i": i, "text": "x" * (i * m % 100), "list": [None] * (i % 50)} for i in range(10 + n * 4)]


# step: objects made and forgotten, cycles among them
def heap_churned(n, m):
    for i in range(500 + n * 4):
        cycle = [i]
        cycle.append({"cycle": cycle, "text": "x" * (m % 50)})


# step: the collector's settings, and a collection
def collector_set(n, m):
    import gc
    gc.callbacks.append(lambda phase, info: None)
    gc.set_threshold(1 + n, 1 + m % 20, 5)
    (gc.disable, gc.freeze, gc.collect, lambda: gc.set_debug(gc.DEBUG_SAVEALL))[n % 4]()


# step: large pieces of memory, written
def memory_written(n, m):
    import builtins
    builtins.pieces = [bytearray([m % 256]) * (1 + n * 500), array_of(n), memoryview(bytes(m))]


def array_of(n):
    import array
    return array.array("d", range(n))


# step: constants and small numbers changed behind the interpreter's back
def constants_changed(n, m):
    import ctypes
    ctypes.memset(id(b"left as a constant") + bytes.__basicsize__ - 1, 65 + n % 26, 4)
    number = ctypes.c_uint32.from_address(id(200 + m % 50) + 24)
    before, number.value = number.value, 7
    number.value = before
    ctypes.c_ssize_t.from_address(id(None)).value += n


# step: texts interned, codes cached, names made
def texts_interned(n, m):
    import re
    import sys
    import builtins
    builtins.texts = [sys.intern(f"left {m} {i}") for i in range(10 + n)]
    for i in range(1 + n % 5):
        re.compile(f"(left){{{i},{i + m}}}(?P<name>.)").search("left" * 5)


# step: code made from text
def code_made(n, m):
    import builtins
    exec(f"def made(a): return a + {m}", builtins.__dict__)
    builtins.Made = type("Made", (dict,), {f"left{i}": i for i in range(n % 50)})
    for i in range(1 + n % 5):
        eval(f"{i} + {m}")


# step: the stack used up
def stack_used_up(n, m):
    def deeper(level):
        return 1 + deeper(level + n)
    try:
        deeper(0)
    except RecursionError:
        pass


# step: limits and intervals of the interpreter
def interpreter_set(n, m):
    import sys
    sys.setrecursionlimit(500 + n)
    sys.setswitchinterval(0.001 + m / 1000)
    sys.set_int_max_str_digits(640 + n)
    sys.dont_write_bytecode = bool(m % 2)


# step: functions that follow every line or call
def tracing_set(n, m):
    import sys
    import threading
    if n % 2:
        sys.settrace(lambda frame, event, argument: None)
    else:
        sys.setprofile(lambda frame, event, argument: None)
    if m % 2:
        threading.settrace(lambda *given: None)


# step: hooks for errors, output, audits and breakpoints
def hooks_set(n, m):
    import sys
    import threading
    hooks = ["excepthook", "displayhook", "unraisablehook", "breakpointhook"]
    setattr(sys, hooks[n % 4], lambda *given: None)
    threading.excepthook = lambda given: None
    if m % 2:
        sys.addaudithook(lambda event, given: None)


# step: functions for the end of the process
def exit_functions_registered(n, m):
    import atexit
    for i in range(1 + n % 20):
        atexit.register(print, "left", m, i)


# step slow breaks process-gone: built-in functions replaced
def built_ins_replaced(n, m):
    import builtins
    names = ["open", "print", "len", "isinstance", "getattr", "__import__", "range", "str", "Exception", "compile"]
    own = getattr(builtins, names[n % len(names)])

    def raising(*given, **named):
        raise RuntimeError("replaced")

    setattr(builtins, names[n % len(names)], [raising, lambda *given, **named: "replaced", lambda *given, **named: own(*given, **named)][m % 3])


# step slow breaks process-gone: functions of modules replaced, those that the action proxy needs too
def modules_patched(n, m):
    import importlib
    places = [("os", "read"), ("os", "writev"), ("os", "write"), ("json", "dumps"), ("json", "loads"), ("json.encoder", "encode_basestring"), ("traceback", "format_exc"), ("random", "seed"), ("ssl", "RAND_add"), ("sys", "stdout"), ("sys", "stderr"), ("time", "time"), ("socket", "socket"), ("os", "urandom"), ("struct", "pack")]
    module, member = places[n % len(places)]

    def raising(*given, **named):
        raise RuntimeError("replaced")

    setattr(importlib.import_module(module), member, [raising, lambda *given, **named: b"replaced", None][m % 3])


# step: modules taken away, replaced, put in
def modules_replaced(n, m):
    import sys
    import types
    names = ["json", "os", "re", "ssl", "decimal", "traceback", "logging", "main__", "rewhisk_proxy.action"]
    name = names[n % len(names)]
    if m % 3 == 0:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = None if m % 3 == 1 else types.ModuleType(name)
    sys.modules["left_behind"] = types.ModuleType("left_behind")


# step: how modules are found
def importing_changed(n, m):
    import importlib
    import sys
    sys.path.insert(n % 3, "/tmp")
    sys.path_importer_cache.pop("/runtime/python", None)
    sys.meta_path.insert(m % 2, type("Finder", (), {"find_spec": lambda *given: None}))
    sys.path_hooks.append(lambda path: (_ for _ in ()).throw(ImportError()))
    with open("/tmp/left_module.py", "w") as file:
        file.write(f"left = {n}\n")
    importlib.invalidate_caches()
    importlib.import_module("left_module")


# step slow: modules of the library loaded for the first time
def modules_loaded(n, m):
    import importlib
    names = ["sqlite3", "asyncio", "xml.dom.minidom", "curses", "turtledemo", "difflib", "cProfile", "unittest", "ctypes.util", "zoneinfo", "lzma", "bz2"]
    for i in range(2):
        try:
            importlib.import_module(names[(n + i + m) % len(names)])
        except ImportError:
            pass


# step: attributes of types and modules
def attributes_added(n, m):
    import collections
    import os
    import threading
    for owner in (collections.UserDict, threading.Thread, os, collections.abc.Mapping)[: 1 + n % 4]:
        setattr(owner, f"left{m}", n)
    collections.abc.Sized.register(type("Registered", (), {}))


# step: objects that hear of their end, and some that come back
def finalizers_left(n, m):
    import builtins
    import weakref

    class Phoenix:
        def __del__(self):
            builtins.phoenix = self

    things = [Phoenix() for _ in range(1 + n % 20)]
    builtins.references = [weakref.ref(thing, lambda reference: None) for thing in things]
    weakref.finalize(things[0], print, "ended") if m % 2 else None


# step: generators and coroutines in the middle of their work
def generators_suspended(n, m):
    import builtins

    def numbers():
        try:
            yield from range(m, m + 1000)
        finally:
            builtins.ended = True

    builtins.numbers = [numbers() for _ in range(1 + n % 20)]
    for one in builtins.numbers:
        next(one)


# step: context variables and the context of decimals
def contexts_set(n, m):
    import builtins
    import contextvars
    import decimal
    builtins.variable = contextvars.ContextVar("left")
    builtins.variable.set(m)
    decimal.getcontext().prec = 1 + n
    decimal.getcontext().traps[decimal.Inexact] = bool(m % 2)
    decimal.DefaultContext.prec = 5


# step: warnings, their filters and where they are shown
def warnings_set(n, m):
    import warnings
    warnings.simplefilter(["ignore", "always", "error", "once"][n % 4])
    warnings.showwarning = lambda *given, **named: None
    if n % 4 != 2:
        warnings.warn(f"left {m}")


# step: locale and zone
def locale_set(n, m):
    import locale
    import os
    import time
    locale.setlocale(locale.LC_ALL, ["C", "C.UTF-8", "POSIX"][n % 3])
    os.environ["TZ"] = ["Asia/Tokyo", "UTC-5"][m % 2]
    time.tzset()


# step: loggers and their handlers
def loggers_set(n, m):
    import logging
    import sys
    logging.basicConfig(level=n % 50, stream=sys.stderr)
    logging.getLogger(f"left.{m}").addHandler(logging.FileHandler(f"/tmp/left-{m}.log"))
    logging.getLogger(f"left.{m}").warning("left %d", n)


# step: codecs, copies and pickles registered
def registries_filled(n, m):
    import codecs
    import copyreg
    codecs.register(lambda name: None)
    codecs.register_error(f"left{m}", lambda problem: ("", 0))
    copyreg.pickle(complex, lambda value: (complex, (value.real, n)))


# step: random values drawn from every source, and the generator seeded
def random_drawn(n, m):
    import builtins
    import random
    import secrets
    import ssl
    import tempfile
    import uuid
    builtins.random = [random.gauss(0, 1), secrets.token_bytes(1 + n), ssl.RAND_bytes(16), uuid.uuid4(), uuid.uuid1(), tempfile.mktemp()]
    random.seed(m)


# step: memory followed, faults told
def diagnosis_started(n, m):
    import faulthandler
    import tracemalloc
    tracemalloc.start(1 + n % 5)
    faulthandler.enable()
    if m % 2:
        faulthandler.dump_traceback_later(1000)


# step: hashes, ciphers and connections in OpenSSL
def ssl_used(n, m):
    import builtins
    import hashlib
    import ssl
    builtins.contexts = [ssl.create_default_context() if n % 20 == 0 else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), hashlib.sha512(b"x" * n), hashlib.pbkdf2_hmac("sha1", b"left", b"left", 1 + m)]


# step: streams that compress and count
def streams_left(n, m):
    import builtins
    import io
    import zlib
    builtins.streams = [zlib.compressobj(), io.BytesIO(b"x" * n), io.TextIOWrapper(io.BytesIO()), zlib.decompressobj()]
    builtins.streams[0].compress(b"x" * m * 20)


# step: an action that returns an error, a list, nothing
def error_returned(n, m):
    return lambda: [{"error": f"left {n}"}, {"error": {"left": m}}, [1, 2], None][n % 4]


# step: an action that raises, or returns what cannot be said in JSON
def error_raised(n, m):
    def ending():
        if n % 4 == 0:
            raise ValueError(f"left {m}")
        if n % 4 == 1:
            raise type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})()
        return [{"left": {1, 2}}, {"left": float("nan")}][n % 2]

    return ending


# step rare breaks process-gone: an action that asks for the end of its process, which waits for the threads that it has started
def exit_asked_for(n, m):
    def ending():
        raise [SystemExit(m % 256), KeyboardInterrupt()][n % 2]

    return ending


# step: a large result
def result_large(n, m):
    return lambda: {"left": "é" * (m % 3) + "x" * (100_000 + n * 500)}


# step rare hangs: an action that never answers
def answer_missing(n, m):
    def ending():
        import time
        import threading
        while n % 3 == 0:
            pass
        while n % 3 == 1:
            time.sleep(0.001 * (1 + m))
        threading.Event().wait()

    return ending
