"""Leaves built-in functions replaced: those with which a runtime reads, writes and answers."""
import builtins
import io
import json
import os
import struct
import sys
import traceback


def main(args):
    def evil(*arguments, **named):
        builtins.patched = args["marker"]
        return '{"patched":true}'

    json.dumps = json.loads = json.JSONEncoder.encode = json.JSONEncoder.default = evil
    json.encoder.encode_basestring = json.encoder.c_make_encoder = evil
    os.read = os.write = os.fdopen = struct.unpack = struct.pack = traceback.format_exc = evil
    builtins.print = builtins.open = builtins.len = builtins.isinstance = builtins.__import__ = evil
    io.TextIOWrapper = io.BytesIO = evil
    sys.stdout = sys.stderr = sys.__stdout__ = None
    sys.excepthook = sys.displayhook = sys.unraisablehook = evil
    return {"left": True}
