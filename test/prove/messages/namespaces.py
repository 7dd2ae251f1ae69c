import os
import struct

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, SIGCHLD = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 17


def leave(mark):
    arguments = put(struct.pack("11Q", NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, 0))
    number = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    kinds = (NEWUSER, NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET)
    found = [attempt("clone3", arguments, 88)]
    found += [attempt("clone", kind | SIGCHLD) for kind in kinds]
    found += [attempt("setns", number, 0)]
    return found + [attempt("unshare", kind) for kind in kinds]


def read():
    return {name: os.readlink(f"/proc/self/ns/{name}").split(":")[0] for name in os.listdir("/proc/self/ns")}
