"""Greets the caller, as in OpenWhisk's own tutorial."""


def main(args):
    name = args.get("name", "stranger")
    return {"greeting": "Hello " + name + "!"}
