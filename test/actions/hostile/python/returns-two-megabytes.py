"""Returns more than OpenWhisk takes."""


def main(args):
    return {"text": "z" * (2 << 20)}
