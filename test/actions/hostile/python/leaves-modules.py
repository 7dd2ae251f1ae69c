"""Leaves modules loaded, replaced and intercepted, and hooks under everything that runs."""
import atexit
import importlib
import sys


def main(args):
    for name in ("http.server", "sqlite3", "asyncio", "ctypes", "decimal", "xml.dom.minidom", "curses", "unittest"):
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    sys.modules["json"] = sys.modules["os"] = args["marker"]
    sys.meta_path.insert(0, type("Left", (), {"find_spec": staticmethod(lambda *a, **k: None)}))
    sys.path_hooks.append(lambda path: None)
    sys.path_importer_cache["/tmp/left"] = None
    sys.setprofile(lambda *a: None)
    sys.settrace(lambda *a: None)
    atexit.register(print, args["marker"])
    return {"left": True}
