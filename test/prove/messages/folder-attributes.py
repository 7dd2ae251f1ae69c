import os

PLACES = ("/tmp", "/home/action", "/dev/shm")


def leave(mark):
    attributes = (("user.mark", mark.encode()), ("system.posix_acl_access", bytes.fromhex(mark)))
    return [attempt("setxattr", os.setxattr, place, *attribute) for place in PLACES for attribute in attributes]


def read():
    return [os.listxattr(place) for place in PLACES]
