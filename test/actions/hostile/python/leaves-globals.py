"""Leaves a value on every module and class that takes one."""
import builtins
import gc
import sys


def main(args):
    marker = args["marker"]
    builtins.left = marker
    for module in list(sys.modules.values()):
        try:
            module.left = marker
        except Exception:
            pass
    left = 0
    for thing in gc.get_objects():
        if isinstance(thing, type):
            try:
                thing.left = marker
                left += 1
            except Exception:
                pass
    return {"left": left > 0}
