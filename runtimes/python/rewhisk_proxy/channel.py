"""Frames on the channel: blocking reads, one write per answer."""

# A frame: u32 little-endian length of what follows, 16 bytes nonce, u8 type, payload. An answer repeats the nonce of
# its question; its payload is a u16 little-endian status and the body.

import json
import os
import struct

INIT, RUN, READY, ANSWER, LIBRARIES = 1, 2, 3, 4, 6
# With an archive, before an INIT that names its folder.
UNPACK = 7

_LENGTH = struct.Struct("<I")
_HEAD = struct.Struct("<I16sB")
_HEAD_AND_STATUS = struct.Struct("<I16sBH")
_NO_NONCE = bytes(16)
_READ_BYTES = 16 * 1024
# Far above what OpenWhisk lets through (48 MB of code): a larger length means that the two sides are out of step.
_MAX_FRAME_BYTES = 256 * 1024 * 1024
_MIN_FRAME_BYTES = 17

_loads = json.loads


class ChannelError(Exception):
    """The other side broke the protocol: there is no way to go on."""


class Channel:
    """One end of the channel. The warm-up reads from one descriptor and writes to another."""

    # The calls are taken hold of here: user code may replace those of the os module.
    def __init__(self, input_fd, output_fd=None, *, read=os.read, readv=os.readv, writev=os.writev):
        self._input_fd = input_fd
        self._output_fd = input_fd if output_fd is None else output_fd
        self._read, self._readv, self._writev = read, readv, writev
        self._data = b""
        self._nonce = _NO_NONCE

    def read(self):
        """Blocks until a whole frame is there; its type and payload, or None when the other side has closed."""
        if not self._fill(_LENGTH.size):
            return None
        (length,) = _LENGTH.unpack_from(self._data)
        if not _MIN_FRAME_BYTES <= length <= _MAX_FRAME_BYTES:
            raise ChannelError(f"a frame of {length} bytes")
        total = _LENGTH.size + length
        if len(self._data) < total:
            self._fill_large(total)
        data = self._data
        _, self._nonce, kind = _HEAD.unpack_from(data)
        self._data = data[total:]
        return kind, data[_HEAD.size : total]

    def ready(self, payload):
        """Writes READY with a zero nonce."""
        self._write(_HEAD.pack(_HEAD.size - 4 + len(payload), _NO_NONCE, READY), payload)

    def answer(self, status, body):
        """Answers the frame read last with an HTTP status and the body's bytes."""
        length = _HEAD_AND_STATUS.size - _LENGTH.size + len(body)
        self._write(_HEAD_AND_STATUS.pack(length, self._nonce, ANSWER, status), body)

    def _write(self, head, body):
        total = len(head) + len(body)
        done = self._writev(self._output_fd, (head, body))
        while done < total:
            rest = memoryview(head + body)[done:]
            done += self._writev(self._output_fd, (rest,))

    def _fill(self, count):
        while len(self._data) < count:
            more = self._read(self._input_fd, _READ_BYTES)
            if not more:
                if self._data:
                    raise ChannelError("the channel ended within a frame")
                return False
            self._data += more
        return True

    def _fill_large(self, total):
        frame = bytearray(total)
        have = len(self._data)
        frame[:have] = self._data
        view = memoryview(frame)
        while have < total:
            got = self._readv(self._input_fd, (view[have:],))
            if got == 0:
                raise ChannelError("the channel ended within a frame")
            have += got
        self._data = bytes(frame)


def parse_init(payload):
    """An INIT payload: the header (a dictionary) and the raw bytes of the code."""
    if len(payload) < _LENGTH.size:
        raise ChannelError("an INIT frame without a header")
    (length,) = _LENGTH.unpack_from(payload)
    start = _LENGTH.size
    if start + length > len(payload):
        raise ChannelError("an INIT frame shorter than its header says")
    return parse_object(payload[start : start + length]), payload[start + length :]


def parse_object(text):
    """JSON that must be an object. Raises RecursionError for one that is nested too deeply."""
    try:
        value = _loads(text)
    except ValueError as error:
        raise ChannelError("a frame whose JSON does not parse") from error
    if not isinstance(value, dict):
        raise ChannelError("a frame whose JSON is no object")
    return value
