# Is no program.
def main(args
