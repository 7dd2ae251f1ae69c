"""Writes noise where the runtime answers."""
import os


def main(args):
    os.write(3, b'HTTP/1.1 200 OK\r\n\r\n{"forged":true}' * 50)
    return {"answered": True}
