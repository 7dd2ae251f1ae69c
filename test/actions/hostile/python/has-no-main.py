"""Has no function of the name asked for."""


def hello(args):
    return {}
