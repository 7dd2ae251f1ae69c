import os
import struct


def leave(mark):
    """A queue of that name, made and used: the attributes are its length and the size of its messages."""
    name, text = put(mark.encode() + b"\0"), put(mark.encode(), 64)
    attributes = put(struct.pack("8q", 0, 4, 64, 0, 0, 0, 0, 0), 256)
    queue = attempt("mq_open", name, os.O_CREAT | os.O_RDWR, 0o666, attributes)
    number = queue["result"]
    return [
        queue,
        attempt("mq_timedsend", number, text, 32, 0, 0),
        attempt("mq_getsetattr", number, 0, attributes),
        attempt("mq_timedreceive", number, text, 64, 0, 0),
        attempt("mq_notify", number, 0),
        attempt("mq_unlink", name),
    ]


def read():
    return os.path.exists("/dev/mqueue")
