"""Makes every generator of this process differ from what it was at the checkpoint."""

# A rewound process would repeat its random numbers. os.urandom, secrets and uuid4 ask the kernel each time; random's
# state lies in memory, and so does OpenSSL's, which TLS and ssl.RAND_bytes use: both get fresh kernel entropy.

import _random
import gc
import os
import random
import ssl
import sys
from os import urandom

_SEED_BYTES = 32
_OPENSSL_BYTES = 48

_seed = _random.Random.seed
_generator = random._inst
_from_bytes = int.from_bytes
_rand_add = ssl.RAND_add


def renew_randomness():
    """To be called at each init, before any user code."""
    _seed(_generator, _from_bytes(urandom(_SEED_BYTES), "little"))
    _generator.gauss_next = None
    _rand_add(urandom(_OPENSSL_BYTES), _OPENSSL_BYTES)


_get_objects = gc.get_objects
_get_state = random.Random.getstate
_WITH_GENERATORS = ("_ctypes", "_sqlite3")
_LIBRARY = os.path.dirname(os.__file__) + os.sep + "lib-dynload" + os.sep
_PLACES = ((os, "urandom"), (os, "getrandom"), (random, "_urandom"), (ssl, "RAND_bytes"), (ssl, "RAND_pseudo_bytes"))
_originals = [(module, name, getattr(module, name)) for module, name in _PLACES if hasattr(module, name)]


class DrawsWatch:
    """Tells whether an init draws random numbers, or makes a generator whose state the proxy cannot renew."""

    # An action's own checkpoint is taken after its init, and what comes back with it would repeat itself in every activation:
    # pools of random bytes, a Random of its own, whatever an extension module keeps. A seed that the action has chosen must stay. So
    # an init that comes near any of these is told of, and its action has no such checkpoint.

    def __init__(self):
        """To be made after the renewal, right before any user code."""
        self._drawn = False
        self._state = _get_state(_generator)
        self._modules = set(sys.modules)
        for module, name, original in _originals:
            setattr(module, name, self._watched(original))

    def _watched(self, original):
        # What user code has kept of these goes on to work.
        def draw(*args, **named):
            self._drawn = True
            return original(*args, **named)

        draw.__name__ = original.__name__
        return draw

    def end(self):
        """True where nothing was drawn."""
        for module, name, original in _originals:
            setattr(module, name, original)
        return not (self._drawn or _get_state(_generator) != self._state or self._has_generator() or self._has_extension())

    def _has_generator(self):
        # Those of before are frozen, and not listed.
        return any(
            issubclass(type(one), _random.Random) and not issubclass(type(one), random.SystemRandom) for one in _get_objects()
        )

    def _has_extension(self):
        for name in set(sys.modules) - self._modules:
            path = getattr(sys.modules[name], "__file__", None)
            if name in _WITH_GENERATORS or (isinstance(path, str) and path.endswith(".so") and not path.startswith(_LIBRARY)):
                return True
        return False
