"""Imports libraries before the container's checkpoint is taken, so that no activation pays for that; or says why it cannot."""

# What an import leaves is the same in all activations. So one that draws random numbers, or may hide one, is refused, but for
# generators that can be renewed, while they are seeded. Whoever is refused has half of the libraries: the process is not used any more.

import functools
import gc
import importlib
import importlib.machinery
import json
import sys
import time

import _thread

from rewhisk_proxy.channel import ChannelError
from rewhisk_proxy.draws import DrawsWatch, Watched, is_quiet_code
from rewhisk_proxy.randomness import renew_also

OK, REFUSED = 200, 409
_SHOWN_CHARACTERS = 300



def _state_of_numpy(module):
    kind, keys, *rest = module.mtrand._rand.get_state()
    return kind, keys.tobytes(), *rest


# Modules that seed a generator of their own when they are imported: how that is renewed, and what it will draw next.
_RENEWALS = {"numpy.random": (lambda module: module.mtrand._rand.seed, _state_of_numpy)}
# Packages whose machine code is known to have no generator but these, and to run nobody's code out of sight.
_KNOWN_PACKAGES = ("markupsafe", "numpy", "pandas")
# What they load besides.
_KNOWN_LIBRARIES = frozenset("libdl libgcc_s libm libpthread librt libstdc++".split())
# By these libraries call machine code that is none of theirs; that ctypes itself is imported draws nothing, and numpy does it.
_CALLS = ("_dlopen", "dlopen", "dlsym", "call_function", "call_cdeclfunction")


class _ImportsWatch(DrawsWatch):
    """As for an init, but that it knows these."""

    def _tell(self):
        if not _is_running_known():
            super()._tell()

    def _watch_functions(self):
        super()._watch_functions()
        ctypes, machine = sys.modules["ctypes"], sys.modules["_ctypes"]
        for module in (ctypes, machine):
            for name in _CALLS:
                if hasattr(module, name):
                    self._replace(module, name, Watched(getattr(module, name), self._tell))
        self._replace(ctypes.CDLL, "__getattr__", self._watched_method(ctypes.CDLL.__getattr__))
        self._seeded = {}
        loader = importlib.machinery.SourceFileLoader
        self._replace(loader, "exec_module", self._noting_seeds(loader.exec_module))

    def _noting_seeds(self, exec_module):
        @functools.wraps(exec_module)
        def noting(loader, module):
            exec_module(loader, module)
            name = module.__name__
            if name in _RENEWALS and name not in self._seeded:
                self._seeded[name] = _RENEWALS[name][1](module)

        del noting.__wrapped__
        return noting

    def _is_quiet(self):
        # What machine code draws from the generator once it is seeded is not watched: it shows in the state alone.
        seeded = {name: state(sys.modules[name]) for name, (_, state) in _RENEWALS.items() if name in sys.modules}
        return seeded == self._seeded and super()._is_quiet()

    def _watched_threads(self):
        # Python's are looked at apart; whether those rest that machine code has started is seen when the checkpoint is taken.
        return frozenset()

    def _is_quiet_code(self, path):
        return is_quiet_code(path) or _is_known_code(path)


def _is_running_known():
    """Whether the body of a module whose generator is renewed is being run, whoever imports it."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") in _RENEWALS:
            return True
        frame = frame.f_back
    return False


def _is_known_code(path):
    if path.rpartition("/")[2].partition(".")[0] in _KNOWN_LIBRARIES:
        return True
    packages = [sys.modules[name] for name in _KNOWN_PACKAGES if name in sys.modules]
    folders = [folder for package in packages for folder in package.__path__]
    return any(path.startswith((folder + "/", folder + ".libs/")) for folder in folders)


def import_libraries(payload):
    """`payload` is the frame's: the JSON text of a list of names. Gives the answer's status and body."""
    names = json.loads(payload)
    if not isinstance(names, list):
        raise ChannelError("a frame of libraries that are no list")
    threads = _thread._count()
    # Before the watch: it opens the interpreter itself.
    importlib.import_module("ctypes")
    watch = _ImportsWatch()
    began = time.perf_counter()
    refusal = _import_all(names)
    took_ms = (time.perf_counter() - began) * 1000
    is_quiet = watch.end()
    if refusal is None and _thread._count() > threads:
        refusal = "not-quiescent", "it has left a thread"
    if refusal is None and not is_quiet:
        refusal = "randomness", "what it draws, or hides, would be the same in all activations"
    if refusal is not None:
        why, text = refusal
        return REFUSED, json.dumps({"refused": why, "text": text[:_SHOWN_CHARACTERS]}).encode() + b"\n"
    for name, (renewal, _) in _RENEWALS.items():
        if name in sys.modules:
            renew_also(renewal(sys.modules[name]))
    # As after the warm-up: later collections neither look at it nor write to it.
    gc.collect()
    gc.freeze()
    return OK, b'{"tookMs":%.3f}\n' % took_ms


def _import_all(names):
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            return "missing", f"{name}: {error}"
        except BaseException as error:  # whatever a library raises, SystemExit too
            return "failed", f"{name}: {type(error).__name__}: {error}"
    return None
