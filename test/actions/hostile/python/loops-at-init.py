"""Never finishes loading."""
while True:
    pass


def main(args):
    return {}
