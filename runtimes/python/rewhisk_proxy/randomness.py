"""Makes every generator of this process differ from what it was at the checkpoint."""

# A rewound process would repeat its random numbers. os.urandom, secrets and uuid4 ask the kernel each time; random's
# state lies in memory, and so does OpenSSL's, which TLS and ssl.RAND_bytes use: both get fresh kernel entropy.

import _random
import random
import ssl
from os import urandom

_SEED_BYTES = 32
_OPENSSL_BYTES = 48

_seed = _random.Random.seed
_generator = random._inst
_from_bytes = int.from_bytes
_rand_add = ssl.RAND_add
_others = []


def renew_also(renewal):
    """Adds what renews the generator of a library, which is then called each time."""
    _others.append(renewal)


def renew_randomness():
    """To be called at each init, before any user code."""
    _seed(_generator, _from_bytes(urandom(_SEED_BYTES), "little"))
    _generator.gauss_next = None
    _rand_add(urandom(_OPENSSL_BYTES), _OPENSSL_BYTES)
    for renewal in _others:
        renewal()
