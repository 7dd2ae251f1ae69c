"""Never ends."""


def main(args):
    while True:
        pass
