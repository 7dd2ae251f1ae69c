"""Keeps a ledger in SQLite: in memory, and in a file in the temporary directory."""
import os
import sqlite3
import tempfile


def book(connection, bookings):
    connection.execute("CREATE TABLE booking (account TEXT, cents INTEGER)")
    with connection:
        connection.executemany("INSERT INTO booking VALUES (:account, :cents)", bookings)
    rows = connection.execute(
        "SELECT account, sum(cents), count(*) FROM booking GROUP BY account ORDER BY 2 DESC, 1"
    ).fetchall()
    connection.close()
    return rows


def main(args):
    memory = book(sqlite3.connect(":memory:"), args["bookings"])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "ledger.db")
        file = book(sqlite3.connect(path), args["bookings"])
        pages = os.path.getsize(path) // 4096
    return {"balances": memory, "same": memory == file, "pages": pages}
