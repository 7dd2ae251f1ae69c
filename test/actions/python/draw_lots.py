"""Draws lots: once from a given seed (always the same), once by chance (never the same)."""
import os
import random
import secrets
import tempfile
import uuid


def main(args):
    people = args["people"]
    fair = random.Random(args.get("seed", 1)).sample(people, len(people))
    handle, path = tempfile.mkstemp()
    os.close(handle)
    os.unlink(path)
    return {
        "fair": fair,
        "named": str(uuid.uuid5(uuid.NAMESPACE_DNS, people[0])),
        "lots": [random.random() for _ in range(3)],
        "ids": [str(uuid.uuid4()), str(uuid.uuid1())],
        "token": secrets.token_hex(16),
        "file": os.path.basename(path),
    }
