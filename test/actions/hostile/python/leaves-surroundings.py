"""Leaves another working directory, file mode mask, environment and interpreter settings."""
import decimal
import gc
import locale
import os
import sys
import time
import warnings


def main(args):
    os.environ["LEFT"] = args["marker"]
    os.environ["PATH"] = "/nowhere"
    os.environ["LD_PRELOAD"] = "/tmp/left.so"
    os.environ["PYTHONPATH"] = "/tmp/left"
    os.environ.pop("HOME", None)
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    os.umask(0o777)
    sys.path.insert(0, "/tmp/left")
    sys.argv.append(args["marker"])
    sys.setrecursionlimit(123456)
    sys.setswitchinterval(3)
    sys.dont_write_bytecode = not sys.dont_write_bytecode
    gc.disable()
    warnings.simplefilter("error")
    decimal.getcontext().prec = 3
    locale.setlocale(locale.LC_ALL, "C")
    os.chdir("/tmp")
    return {"left": True}
