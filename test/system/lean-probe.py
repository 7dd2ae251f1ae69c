# Stands in for a runtime: runs the Python code that comes over descriptor 3 and answers with its `result`.
import ctypes, errno, json, os, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(number, *arguments):
    """The name of the error that a system call ends with, "" where it succeeds."""
    words = [ctypes.c_ulong(a & (2**64 - 1)) for a in arguments]
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(number), *words) != -1:
        return ""
    return errno.errorcode[ctypes.get_errno()]


def attempt(function, *arguments, **options):
    """The name of the error that a function raises, "" where it does not."""
    try:
        function(*arguments, **options)
        return ""
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


def read(length):
    data = b""
    while len(data) < length:
        piece = os.read(3, length - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


while True:
    (length,) = struct.unpack("<I", read(4))
    scope = {"call": call, "attempt": attempt, "os": os, "libc": libc, "ctypes": ctypes, "errno": errno}
    try:
        exec(read(length).decode(), scope)
        answer = {"result": scope.get("result")}
    except BaseException as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    body = json.dumps(answer).encode()
    data = struct.pack("<I", len(body)) + body
    while data:
        data = data[os.write(3, data) :]
