"""Keeps a count in a global, in a module and in a built-in class's registry: each start must begin at one."""
import json
import os

calls = 0


def main(args):
    global calls
    calls += 1
    json.calls = getattr(json, "calls", 0) + 1
    os.environ["CALLS"] = str(int(os.environ.get("CALLS", 0)) + 1)
    os.environ.setdefault("FIRST", args.get("name", ""))
    return {"calls": calls, "module": json.calls, "environment": os.environ["CALLS"], "first": os.environ["FIRST"]}
