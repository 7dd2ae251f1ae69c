"""Tells whether an init draws random numbers, or makes a generator whose state the proxy cannot renew."""

# An action's own checkpoint is taken after its init, and what comes back with it would repeat itself in every activation: pools of
# random bytes, a Random of its own, whatever an extension module keeps. A seed that the action has chosen must stay. So an init
# that comes near any of these is told of, and its action has no such checkpoint. What the process can tell by itself is
# asked of it (the state of the shared generator, threads, loaded code, references); the rest goes through watched functions, which
# do as before, and are only taken back where nobody has put something else in their place.

import functools
import os
import posix
import random
import re
import ssl
import sys
import uuid

import _random
import _ssl

_generator = random._inst
_get_state = _random.Random.getstate
_count_references = sys.getrefcount
_list, _open_file = os.listdir, open
_modules = sys.modules
_CONTEXTS = (_ssl._SSLContext, ssl.SSLContext)
_builtin = type(posix.urandom)
_mapped_to_run = re.compile(r"^\S+ ..x\S* \S+ \S+ \S+ +(/.*)$", re.MULTILINE).findall

_LIBRARY = os.path.dirname(os.__file__) + os.sep + "lib-dynload" + os.sep
# Of Python's own modules in machine code, those that have no generator and run nobody's code out of sight.
_QUIET_MODULES = frozenset(
    "_abc _ast _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw"
    " _collections _contextvars _csv _curses _datetime _decimal _elementtree _functools _hashlib _heapq _hmac _io _json"
    " _locale _lsprof _lzma _md5 _multibytecodec _multiprocessing _opcode _operator _pickle _posixshmem _posixsubprocess _queue"
    " _random _sha1 _sha2 _sha256 _sha3 _sha512 _signal _socket _sre _ssl _stat _statistics _string _struct _suggestions _symtable"
    " _sysconfig _thread _tokenize _tracemalloc _types _typing _uuid _warnings _weakref _zoneinfo array atexit audioop binascii"
    " cmath errno faulthandler fcntl gc grp itertools marshal math mmap posix pwd pyexpat resource select spwd syslog termios"
    " time unicodedata zlib".split()
)
# What they need of the system's libraries.
_QUIET_LIBRARIES = frozenset("libbz2 libcrypto libexpat liblzma libmpdec libncursesw libssl libtinfo libuuid libz".split())
_QUIET_OF_SSL = frozenset(("RAND_add", "RAND_status", "get_default_verify_paths", "nid2obj", "txt2obj", "_test_decode_cert"))


class Watched:
    """Stands for a function in machine code: like that, and unlike one in Python, it is no method of the classes that hold it."""

    __slots__ = ("_original", "_tell")

    def __init__(self, original, tell):
        self._original, self._tell = original, tell

    def __call__(self, *args, **named):
        self._tell()
        return self._original(*args, **named)

    def __getattr__(self, name):
        return getattr(self._original, name)

    def __repr__(self):
        return repr(self._original)

    def __eq__(self, other):
        return self is other or self._original == other

    def __hash__(self):
        return hash(self._original)

    @property
    def __doc__(self):
        return self._original.__doc__


def _functions():
    """Where functions lie that ask the kernel or OpenSSL for random numbers: triples of a module, a name and the function."""
    found = [(os, "urandom"), (os, "getrandom"), (posix, "urandom"), (posix, "getrandom"), (random, "_urandom")]
    found += [(uuid, "_generate_time_safe"), (_modules.get("_uuid"), "generate_time_safe")]
    drawing = [one for name, one in vars(_ssl).items() if type(one) is _builtin and name not in _QUIET_OF_SSL]
    found += [(module, name) for module in (ssl, _ssl) for name, one in vars(module).items() if one in drawing]
    return [(module, name, vars(module)[name]) for module, name in found if type(getattr(module, name, None)) is _builtin]


_FUNCTIONS = _functions()
_METHODS = ("__init__", "seed", "setstate", "random", "getrandbits")


class DrawsWatch:
    """To be made after the renewal, right before any user code."""

    def __init__(self):
        self._drawn = False
        self._put = []
        try:
            self._threads, self._code = self._watched_threads(), _loaded_code()
            self._names, self._state = frozenset(_modules), _get_state(_generator)
            self._watch_functions()
            self._watch_types()
            self._references = _references()
        except Exception:
            # Of a Python whose types cannot be changed, or a place without /proc.
            self._drawn = True

    def _watch_functions(self):
        stand_ins = {id(original): Watched(original, self._tell) for _, _, original in _FUNCTIONS}
        for module, name, original in _FUNCTIONS:
            self._replace(module, name, stand_ins[id(original)])

    def _watch_types(self):
        for name in _METHODS:
            self._replace(_random.Random, name, self._watched_method(getattr(_random.Random, name)))
        # The keys of a context's tickets are drawn when it is made.
        self._replace(ssl.SSLContext, "__new__", staticmethod(self._watched_method(ssl.SSLContext.__new__)))

    def _watched_method(self, original):
        @functools.wraps(original)
        def method(*args, **named):
            self._tell()
            # One that has no __init__ of its own does all in __new__.
            return None if original is object.__init__ else original(*args, **named)

        del method.__wrapped__
        return method

    def _replace(self, place, name, stand_in):
        before = vars(place).get(name)
        setattr(place, name, stand_in)
        self._put.append((place, name, stand_in, before))

    def _tell(self):
        self._drawn = True

    def end(self):
        """True where nothing was drawn. To be called right before the answer: no user code may run after it."""
        try:
            has_context = _references() != self._references
            return self._put_back() and not (self._drawn or has_context) and self._is_quiet()
        except Exception:
            return False

    def _put_back(self):
        is_whole = True
        for place, name, stand_in, before in self._put:
            if vars(place).get(name) is not stand_in:
                is_whole = False
            elif before is None:
                delattr(place, name)
            else:
                setattr(place, name, before)
        return is_whole

    def _is_quiet(self):
        return (
            _get_state(_generator) == self._state
            and _generator.gauss_next is None
            and self._watched_threads() <= self._threads
            and all(self._is_quiet_code(path) for path in _loaded_code() - self._code)
            and all(_is_quiet_module(name) for name in set(_modules) - self._names)
        )


    def _watched_threads(self):
        return frozenset(_list("/proc/self/task"))

    def _is_quiet_code(self, path):
        return is_quiet_code(path)


def _references():
    """Each object refers to its type: a new context that was made past ssl is told of here, and so is a new subclass."""
    return [_count_references(one) for one in _CONTEXTS]


def _loaded_code():
    """The files that the process has mapped to run them."""
    # As few texts as can be: the checkpoint would hold their pages.
    with _open_file("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        return frozenset(_mapped_to_run(file.read()))


def is_quiet_code(path):
    """Whether the file is one of Python's own, or of the system, that is known to draw nothing."""
    folder, _, file = path.rpartition("/")
    name = file.partition(".")[0]
    return name in (_QUIET_MODULES if folder + os.sep == _LIBRARY else _QUIET_LIBRARIES)


def _is_quiet_module(name):
    module = _modules.get(name)
    return getattr(getattr(module, "__spec__", None), "origin", None) != "built-in" or name in _QUIET_MODULES
