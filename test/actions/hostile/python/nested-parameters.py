"""Measures how deeply its parameters are nested, without recursing."""


def main(args):
    depth, inner = 0, args.get("nested")
    while inner is not None:
        depth, inner = depth + 1, inner.get("nested")
    return {"depth": depth}
