"""Stands in for pyperf in an action: keeps what a program of pyperformance wants measured, and calls each once."""

import platform
import sys
import time
import types

perf_counter = time.perf_counter
python_implementation = platform.python_implementation

_calls = []


class Runner:
    """As a program of pyperformance makes it in its main part; nothing is measured, repeated or written here."""

    def __init__(self, **_options):
        self.metadata = {}
        self.args = None
        self._parser = None

    @property
    def argparser(self):
        if self._parser is None:
            import argparse

            self._parser = argparse.ArgumentParser()
        return self._parser

    def parse_args(self, arguments=None):
        self.args = self.argparser.parse_args(arguments)
        return self.args

    def bench_func(self, _name, function, *arguments, **_options):
        _calls.append(lambda: function(*arguments))

    def bench_time_func(self, _name, function, *arguments, **_options):
        _calls.append(lambda: function(1, *arguments))

    def bench_async_func(self, _name, function, *arguments, **_options):
        import asyncio

        _calls.append(lambda: asyncio.run(function(*arguments)))

    def bench_command(self, name, command):
        raise NotImplementedError(f"{name} measures another process: {command}")


def load(path, arguments):
    """Runs a program's file as if it were started with these arguments; gives how many benchmarks it has."""
    _calls.clear()
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    sys.argv = [path, *arguments]
    with open(path, encoding="utf-8") as file:
        source = file.read()
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    return len(_calls)


def call_each():
    """One turn of every benchmark of the program."""
    for call in _calls:
        call()
    return len(_calls)
