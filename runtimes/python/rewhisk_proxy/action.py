"""One action from init to its last run: environment, outcomes and error texts as OpenWhisk's python runtime."""

import json
import sys
import traceback

from rewhisk_proxy.load import LoadError, load_archive, load_folder, load_source, unpack_archive

OK, FORBIDDEN, SERVER_ERROR, BAD_GATEWAY = 200, 403, 500, 502

# Stock's body is what json.dumps writes, not escaped, and a newline (both count in the activation's size).
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(allow_nan=False).encode
_encode_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_format_exc = traceback.format_exc

NOT_BUILT = "The action failed to generate or locate a binary. See logs for details."
NOT_STARTED = "Cannot start action. Check logs for details."
NO_DICTIONARY = "The action did not return a dictionary or array."
INITIALIZED = '{"ok":true}\n'.encode()


class Action:
    """Answers are pairs: an HTTP status, and the bytes that stock would send as HTTP body."""

    def __init__(self, place, environment):
        self._place = place
        self._environment = environment
        self._main = None

    def unpack(self, data):
        """Only unpacks; nothing of it runs. An archive that is refused here is refused by init, which says why."""
        try:
            unpack_archive(self._place, data)
        except Exception:
            return answer_error(BAD_GATEWAY, NOT_BUILT)
        return OK, INITIALIZED

    def init(self, header, code):
        """Loads the code. `header` has main, binary and env; `code` is the source or the archive. With a folder, where that is unpacked, there is none."""
        if self._main is not None:
            return answer_error(FORBIDDEN, "Cannot initialize the action more than once.")
        folder = header.get("folder")
        if not code and folder is None:
            return answer_error(FORBIDDEN, "Missing main/no code to execute.")
        main = header.get("main") or "main"
        try:
            for name, value in (header.get("env") or {}).items():
                self._environment[name] = value if isinstance(value, str) else json.dumps(value)
            if folder is not None:
                self._main = load_folder(folder, main)
            else:
                load = load_archive if header.get("binary") else load_source
                self._main = load(self._place, code, main)
        except (SyntaxError, LoadError) as error:
            _complain(error)
            return answer_error(BAD_GATEWAY, NOT_BUILT)
        except Exception:
            _print_trace()
            return answer_error(BAD_GATEWAY, NOT_STARTED)
        return OK, INITIALIZED

    def run(self, body):
        """Calls the function. `body` is the parsed /run body: every text beside `value` goes to the environment."""
        if self._main is None:
            return answer_error(SERVER_ERROR, "no action defined yet")
        environment = self._environment
        for name, value in body.items():
            if name != "value" and isinstance(value, str):
                environment["__OW_" + name.upper()] = value
        parameters = body.get("value")
        try:
            result = self._main({} if parameters is None else parameters)
        except Exception as error:
            _print_trace()
            return OK, _encoded({"error": _text(error)})
        if result is not None and not isinstance(result, (dict, list, tuple)):
            return answer_error(BAD_GATEWAY, NO_DICTIONARY)
        try:
            return OK, _encoded(result)
        except Exception:
            # A cycle, a set, NaN: nothing that JSON knows.
            _print_trace(limit=0)
            return answer_error(BAD_GATEWAY, NO_DICTIONARY)


def _encoded(value):
    try:
        return _encode(value).encode() + b"\n"
    except UnicodeEncodeError:
        return _encode_ascii(value).encode() + b"\n"


def answer_error(status, text):
    """An answer that says what went wrong."""
    return status, _encode_compact({"error": text}).encode("utf-8", "backslashreplace") + b"\n"


def _text(error):
    try:
        return str(error)
    except Exception:
        return type(error).__name__


def _complain(error):
    if isinstance(error, SyntaxError):
        _print("".join(traceback.format_exception_only(type(error), error)))
    else:
        _print(f"{error}\n")


def _print_trace(limit=None):
    try:
        _print(_format_exc(limit))
    except Exception:
        # An exception that cannot be shown, for instance because its __str__ fails in a way of its own.
        _print("an exception that cannot be shown")


def _print(text):
    try:
        print(text, file=sys.stderr)
    except Exception:
        # User code has broken sys.stderr: its own loss.
        pass
