"""The generators of the C library, which begin alike in every process that does not seed them."""
import ctypes

library = ctypes.CDLL(None)
library.drand48.restype = ctypes.c_double


def leave(mark):
    seed = int(mark[:7], 16)
    library.srand(seed)
    library.srand48(seed)
    return "left"


def read():
    return [library.rand(), library.random(), library.drand48()]
