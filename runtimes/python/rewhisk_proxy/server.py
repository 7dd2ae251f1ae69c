"""The loop of the action proxy: one frame after the other, each answered before the next is read."""

# Between two frames the process blocks in read(2): that is where the container's checkpoint is taken. What user code
# can replace is taken hold of here before any user code runs.

import os
import platform
import sys
import traceback

from rewhisk_proxy.action import BAD_GATEWAY, OK, Action, answer_error
from rewhisk_proxy.channel import INIT, LIBRARIES, RUN, UNPACK, Channel, ChannelError, parse_init, parse_object
from rewhisk_proxy.draws import DrawsWatch
from rewhisk_proxy.libraries import import_libraries
from rewhisk_proxy.load import Place
from rewhisk_proxy.randomness import renew_randomness

CHANNEL_FD = 3
EXIT_BROKEN = 70
LEVEL_BODY = b'{"ok":true,"level":true}\n'

_exit = os._exit
_write = os.write
_stdout, _stderr = sys.stdout, sys.stderr
_flush_stdout, _flush_stderr = _stdout.flush, _stderr.flush


def serve(channel, action, renew=renew_randomness):
    """Answers frames until the other side closes the channel."""
    renews_at_run = False
    while (frame := channel.read()) is not None:
        kind, payload = frame
        watch = None
        if kind == INIT:
            header, code = parse_init(payload)
            renew()
            if header.get("level") is True:
                watch = DrawsWatch()
            status, body = action.init(header, code)
        elif kind == RUN:
            if renews_at_run:
                renew()
            status, body = _run(action, payload)
        elif kind == LIBRARIES:
            status, body = import_libraries(payload)
        elif kind == UNPACK:
            status, body = action.unpack(payload)
        else:
            raise ChannelError(f"a frame of unknown type {kind}")
        _flush()
        # What the action is now may be come back to before each run, unless it has drawn random numbers.
        if watch is not None and watch.end() and status == OK:
            body, renews_at_run = LEVEL_BODY, True
        channel.answer(status, body)


def _run(action, payload):
    try:
        body = parse_object(payload)
    except RecursionError:
        return answer_error(BAD_GATEWAY, "The action's parameters are nested too deeply.")
    return action.run(body)


def _flush():
    """Everything the activation printed is in the pipes before its answer is written."""
    for flush in (_flush_stdout, _flush_stderr):
        try:
            flush()
        except Exception:
            pass
    if sys.stdout is not _stdout or sys.stderr is not _stderr:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:
                pass


def main():
    """Warms up, says READY, serves; the process ends with the channel."""
    from rewhisk_proxy.warm_up import warm_up

    home = os.environ.get("HOME") or os.getcwd()
    # A line is out as soon as it is printed: an activation that is cut short keeps what it has said.
    _stdout.reconfigure(line_buffering=True)
    warm_up(home)
    # Programs that an action starts do not inherit the channel (Node sees to that by itself).
    os.set_inheritable(CHANNEL_FD, False)
    try:
        channel = Channel(CHANNEL_FD)
        action = Action(Place(home), os.environ)
        channel.ready(b'{"runtime":"python","version":"%s"}' % platform.python_version().encode())
        serve(channel, action)
    except ChannelError as error:
        _break_off(str(error))
    except OSError:
        _break_off(traceback.format_exc())


def _break_off(text):
    try:
        _write(2, f"action proxy: the channel is broken: {text}\n".encode("utf-8", "backslashreplace"))
    finally:
        _exit(EXIT_BROKEN)
