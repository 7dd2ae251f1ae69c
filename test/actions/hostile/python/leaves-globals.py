"""Leaves a value on every module and class that takes one."""
import builtins
import sys


def classes():
    found, waiting = set(), [object]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(type.__subclasses__(one))
    return found


def main(args):
    marker = args["marker"]
    builtins.left = marker
    for module in list(sys.modules.values()):
        try:
            module.left = marker
        except Exception:
            pass
    left = 0
    for one in classes():
        try:
            one.left = marker
            left += 1
        except Exception:
            pass
    return {"left": left > 0}
