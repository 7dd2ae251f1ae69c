"""Reads a playbook in YAML with the C parser and tells which hosts it touches."""
import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def main(args):
    plays = yaml.load(args["playbook"], Loader=Loader)
    tasks = [task for play in plays for task in play.get("tasks", [])]
    return {
        "native": Loader.__name__,
        "hosts": [play["hosts"] for play in plays],
        "tasks": [task["name"] for task in tasks],
        "again": yaml.safe_dump(plays, sort_keys=True),
    }
