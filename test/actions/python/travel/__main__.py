"""Plans a trip with a package and data that lie in the archive."""
from planner import plan
from planner.money import format_cents


def main(args):
    trip = plan(args["start"], args["end"])
    return {"via": trip.via, "price": format_cents(trip.cents), "package": plan.__module__}
