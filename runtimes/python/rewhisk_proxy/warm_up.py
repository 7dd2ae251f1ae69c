"""Runs neutral actions through the whole proxy before READY, so that an action meets hot code; leaves no trace."""

# The checkpoint is taken after this: filled inline caches, imported modules and grown arenas are part of it, and a
# rewind brings them back each time. Nothing here may make names or numbers that have to differ between activations
# (tempfile's names, uuid1): their state would be the same after every rewind.

import gc
import importlib
import io
import linecache
import os
import shutil
import struct
import sys
import tarfile
import zipfile

from rewhisk_proxy.action import Action
from rewhisk_proxy.channel import INIT, RUN, Channel
from rewhisk_proxy.load import MODULE, Place
from rewhisk_proxy.server import serve

# Standard modules that actions often need; importing one later costs up to 40 ms.
_PRELOADED = (
    "asyncio", "base64", "collections", "concurrent.futures", "copy", "csv", "dataclasses", "datetime", "decimal", "email",
    "enum", "functools", "hashlib", "hmac", "html", "http.client", "io", "itertools", "json", "logging", "math",
    "operator", "os", "pathlib", "pickle", "queue", "random", "re", "secrets", "shutil", "socket", "ssl", "statistics",
    "string", "struct", "subprocess", "tempfile", "textwrap", "threading", "time", "traceback", "typing",
    "urllib.parse", "urllib.request", "uuid", "zipfile", "zlib",
)  # fmt: skip

_ROUNDS = 30
_SOURCES = (
    'def main(args):\n    return {{"greeting": "hello " + args["name"], "count": {0}}}\n',
    'import json\n\ndef main(args):\n    print("for", args["name"], {0})\n    return json.loads(json.dumps([args, {0}]))\n',
    "import sys\n\nclass Odd(Exception):\n    pass\n\ndef main(args):\n    raise Odd({0})\n",
    'import random, re\n\ndef main(args):\n    random.shuffle(args["list"])\n    return {{"words": re.findall("[a-z]+", "some text {0}")}}\n',
    'import hashlib, os\n\ndef main(args):\n    return {{"digest": hashlib.sha256(b"{0}").hexdigest(), "n": len(os.environ)}}\n',
    'def main(args):\n    return "text {0}"\n',
    "def main(args:\n    return {0}\n",
)
_FILES = {"__main__.py": "from words import TEXT\n\ndef main(args):\n    return {'text': TEXT}\n", "words.py": "TEXT = 'unpacked'\n"}


def warm_up(home):
    """Imports what actions often need, and serves neutral actions in a folder of its own below `home`."""
    for name in _PRELOADED:
        importlib.import_module(name)
    folder = os.path.join(home, ".warm-up")
    os.mkdir(folder)
    traces = _Traces()
    try:
        with open(os.devnull, "r+b", buffering=0) as sink:
            text = io.TextIOWrapper(io.BufferedWriter(sink), encoding="utf-8", line_buffering=True)
            sys.stdout = sys.stderr = text
            for index, example in enumerate(_examples()):
                _serve_example(sink.fileno(), Place(folder, f"code-{index}"), example)
                traces.remove(folder)
    finally:
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        shutil.rmtree(folder)
    # What is alive now stays: later collections neither look at it nor write to it.
    gc.collect()
    gc.freeze()


def _serve_example(sink, place, example):
    frames = _frame(INIT, example) + 2 * _frame(RUN, _run_payload())
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, frames)
    finally:
        os.close(write_end)
    serve(Channel(read_end, sink), Action(place, os.environ))
    os.close(read_end)


def _examples():
    for index in range(_ROUNDS):
        yield _init_payload(_SOURCES[index % len(_SOURCES)].format(index).encode(), binary=False)
    for pack in (_zip, _tar, _zip):
        yield _init_payload(pack(), binary=True)


def _init_payload(code, binary):
    header = b'{"name":"warm-up","main":"main","binary":%s,"env":{"__OW_ACTION_NAME":"/_/warm-up"}}'
    header %= b"true" if binary else b"false"
    return struct.pack("<I", len(header)) + header + code


def _run_payload():
    value = '{"name":"grüße","list":[1,true,null,1.5],"nested":{"a":{"b":[]}}}'
    return f'{{"value":{value},"action_name":"/_/warm-up","deadline":"0"}}'.encode()


def _frame(kind, payload):
    return struct.pack("<I16sB", 17 + len(payload), bytes(16), kind) + payload


def _zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _FILES.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in _FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


class _Traces:
    """What actions of the warm-up change in this process, and how it is put back."""

    def __init__(self):
        self._folder = os.getcwd()
        self._path = list(sys.path)
        self._variables = set(os.environ)
        self._prefix = sys.prefix

    def remove(self, folder):
        os.chdir(self._folder)
        sys.path[:] = self._path
        sys.prefix = self._prefix
        for name in set(os.environ) - self._variables:
            del os.environ[name]
        for name, module in list(sys.modules.items()):
            if name == MODULE or (getattr(module, "__file__", None) or "").startswith(folder):
                del sys.modules[name]
        for table in (sys.path_importer_cache, linecache.cache):
            for name in [name for name in table if name.startswith(folder)]:
                del table[name]
