"""Ends the process while it runs: politely, or at once."""
import os
import sys


def main(args):
    if args.get("how") == "politely":
        sys.exit(args.get("code", 0))
    os._exit(args.get("code", 0))
