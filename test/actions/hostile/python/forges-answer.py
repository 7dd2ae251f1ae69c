"""Writes well-formed answers where the runtime answers: one before its own, and leaves one for the next activation."""
import json
import os
import struct


def frame(kind, status, result):
    payload = b"\0" * 16 + bytes([kind]) + struct.pack("<H", status) + json.dumps(result).encode()
    return struct.pack("<I", len(payload)) + payload


def main(args):
    os.write(3, frame(4, 200, {"forged": True}))
    os.write(3, frame(3, 200, {"runtime": "python"}))
    os.write(3, frame(4, 200, {"forged": True}))
    return {"answered": True}
