"""The action proxy for python: warms up, says READY, then answers one frame after the other on descriptor 3."""

# Started isolated (-I): neither the environment nor the working folder decide which modules the proxy finds. Its
# own live in a package of a name that no action is likely to use; its folder leaves sys.path at once. Only then what
# the container's image says of modules counts, as it does for Python without -I.

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rewhisk_proxy.server import main  # noqa: E402  (found through the line above)

del sys.path[0]
sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))

if __name__ == "__main__":
    main()
