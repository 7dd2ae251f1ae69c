# Greets someone, in Python.
def main(args):
    name = args.get("name", "stranger")
    return {"greeting": "Hello " + name + "!"}
