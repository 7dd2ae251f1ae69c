"""One value of each generator that asks the kernel, or is seeded by it at its first use, which is the action's."""
import multiprocessing
import os
import random
import secrets
import sqlite3
import tempfile
import uuid


def draw():
    with tempfile.TemporaryDirectory() as folder:
        name = folder
    return {
        "urandom": os.urandom(16).hex(),
        "getrandom": os.getrandom(16).hex(),
        "secrets": secrets.token_hex(16),
        "SystemRandom": random.SystemRandom().random(),
        "a new Random": random.Random().random(),
        "uuid4": uuid.uuid4().hex,
        "authentication key": bytes(multiprocessing.current_process().authkey).hex(),
        "temporary folder": name,
        "SQLite": sqlite3.connect(":memory:").execute("SELECT hex(randomblob(16))").fetchone()[0],
        "arc4random": act("arc4random"),
    }
