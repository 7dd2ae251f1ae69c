"""Spreads the mark over every place that a Python process has; given pieces of a mark, looks for it instead."""
import array
import base64
import builtins
import ctypes
import hashlib
import hmac
import json
import logging
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import types
import zlib

WRITTEN = "@MARK@"

# Kept where nothing of it is collected.
KEPT = builtins.kept = {}


def in_heap(mark, text):
    wide = text + "\u2192"
    KEPT.update(
        narrow=text + "!", wide=wide, wider=text + "\U0001f424", utf16=text.encode("utf-16-le"), latin=mark.decode("latin-1"),
        upper=text.upper(), reversed=mark[::-1], reversed_text=mark[::-1].hex(), backwards=text[::-1],
        base64=[base64.b64encode(bytes(before) + mark) for before in range(3)], url=base64.urlsafe_b64encode(mark),
        array=array.array("B", mark * 1000), big=int(text, 16), buffer=ctypes.create_string_buffer(mark * 100), view=memoryview(bytearray(mark)),
    )
    KEPT[text] = {sys.intern("key" + text): lambda: text}
    KEPT["type"] = type("Class" + text, (), {"attribute" + text: mark})
    gone = [f"{text}{number}" for number in range(1000)]
    del gone[:]
    try:
        raise ValueError(text)
    except ValueError as problem:
        KEPT["traceback"] = problem.__traceback__


def in_code(mark, text):
    names = {}
    exec(f"def function_{text}(argument='{text}'):\n    '''{text}'''\n    return {KEPT['big']}, '{text}', {mark!r}\n", names)
    KEPT["function"] = names[f"function_{text}"]
    KEPT["pattern"] = re.compile(text)
    module = types.ModuleType("module_" + text)
    module.__doc__ = text
    sys.modules["module_" + text] = module
    json.marked = text


def in_libraries(mark, text):
    KEPT["hmac"] = hmac.new(mark, mark, hashlib.sha256)
    KEPT["zlib"] = zlib.compressobj(zdict=mark)
    KEPT["zlib"].compress(mark * 10)
    KEPT["context"] = ssl.create_default_context()
    KEPT["context"].set_alpn_protocols([text])
    KEPT["database"] = sqlite3.connect(":memory:")
    KEPT["database"].execute(f"create table t as select '{text}' as '{text}'")
    KEPT["logger"] = logging.getLogger(text)
    os.environ["CANARY_TOO"] = base64.b64encode(mark).decode()
    tempfile.tempdir = f"/tmp/{text}"
    print(text)
    print(text, file=sys.stderr)
    sys.stdout.write(text)


def in_files(mark, text):
    with open("/tmp/content", "wb") as file:
        file.write(mark)
    with open("/dev/shm/content", "wb") as file:
        file.write(KEPT["utf16"])
    os.mkdir(f"/tmp/{text}")
    os.symlink(text, "/tmp/link")
    with open(f"/home/action/m{text}.py", "w") as file:
        file.write(f"mark = '{text}'\n")
    sys.path.insert(0, "/home/action")
    KEPT["module"] = __import__("m" + text)
    KEPT["file"] = tempfile.TemporaryFile(dir="/tmp")
    KEPT["file"].write(mark)
    KEPT["file"].flush()
    os.chdir(f"/tmp/{text}")


def in_processes(mark, text):
    KEPT["child"] = subprocess.Popen([text, "1000"], executable="/bin/sleep", env={"CANARY": text}, stdin=subprocess.PIPE)
    KEPT["child"].stdin.write(mark)
    KEPT["child"].stdin.flush()
    started = threading.Event()

    def wait(hidden):
        threading.current_thread().mark = hidden
        started.set()
        threading.Event().wait()

    threading.Thread(target=wait, args=(text,), name=text, daemon=True).start()
    started.wait()


def in_sockets(mark, text):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    client.sendall(mark)
    here = socket.socket(socket.AF_UNIX)
    here.bind(f"/tmp/{text[:40]}.sock")
    here.listen()
    there = socket.socket(socket.AF_UNIX)
    there.connect(f"/tmp/{text[:40]}.sock")
    there.sendall(mark)
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.bind(("127.0.0.1", 0))
    datagram.sendto(mark, datagram.getsockname())
    KEPT["sockets"] = [listener, client, listener.accept(), here, there, here.accept(), datagram]


def down_the_stack(text, depth):
    one, two = text, text + str(depth)
    return 0 if depth == 0 else down_the_stack(two[:64], depth - 1) + len(one)


def spread(text, forms, is_in_code):
    mark = bytes.fromhex(text)
    if not is_in_code:
        os.environ["CANARY"] = text
    elif text != os.environ["CANARY"] or text != WRITTEN:
        raise ValueError("three different marks")
    KEPT["forms"] = [base64.b64decode(form) for form in forms]
    for place in (in_heap, in_code, in_libraries, in_files, in_processes, in_sockets):
        place(mark, text)
    down_the_stack(text, 500)
    failed = act("spread")
    if failed != 0:
        raise OSError(f"place {failed} of spread.c cannot be reached")
    return {"spread": True}


def look(pieces):
    with open("/tmp/pieces", "wb") as file:
        file.write(base64.b64decode(pieces))
    finds = act("seek")
    if finds < 0:
        raise OSError(f"cannot search: {finds}")
    with open("/tmp/found", encoding="latin-1") as file:
        return {"finds": finds, "found": file.read()}


def main(args):
    return look(args["pieces"]) if "pieces" in args else spread(args["mark"], args["forms"], args["isInCode"])
