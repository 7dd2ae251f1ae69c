"""Starts the action proxy for python with so much memory mapped and written that the checkpoint has it too."""

import mmap
import os
import runpy
import sys
import types

PAGE_BYTES = 4096

ballast = types.ModuleType("ballast")
ballast.area = mmap.mmap(-1, max(1, int(os.environ["BALLAST_MB"])) << 20, flags=mmap.MAP_PRIVATE)
for place in range(0, len(ballast.area), PAGE_BYTES):
    ballast.area[place] = 1
sys.modules["ballast"] = ballast
runpy.run_path("/runtime/python/proxy.py", run_name="__main__")
