"""Divides, and fails in the ways in which actions fail."""


def main(args):
    a, b = args["a"], args["b"]
    if b == 0 and args.get("how") == "return":
        return {"error": "division by zero", "note": "siblings of an error are dropped by the invoker"}
    return {"quotient": a / b}
