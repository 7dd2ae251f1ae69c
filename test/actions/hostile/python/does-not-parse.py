"""Is no Python."""
def main(args:
    return {}
