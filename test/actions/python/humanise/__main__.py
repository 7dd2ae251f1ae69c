"""Says numbers as people do; its packages come in a virtual environment inside the archive."""
import sys

import humanize


def main(args):
    return {
        "size": humanize.naturalsize(args["bytes"]),
        "number": humanize.intword(args["number"]),
        "ordinal": humanize.ordinal(args["place"]),
        "inside": "virtualenv" in humanize.__file__,
        "prefix": sys.prefix.endswith("virtualenv"),
    }
