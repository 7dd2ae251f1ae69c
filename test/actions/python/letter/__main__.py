"""Writes a letter from templates that lie beside the code in the archive."""
import os

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

environment = Environment(
    loader=FileSystemLoader(os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
)
environment.filters["money"] = lambda cents: f"{cents / 100:.2f} €"


def main(args):
    return {"html": environment.get_template("letter.html").render(**args)}
