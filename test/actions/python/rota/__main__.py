"""Plans a rota: recurring dates, and differences as people say them."""
from dateutil import parser, relativedelta, rrule


def main(args):
    start = parser.parse(args["start"])
    days = list(rrule.rrulestr(args["rule"], dtstart=start))
    apart = relativedelta.relativedelta(days[-1], start)
    people = args["people"]
    return {
        "rota": [[day.strftime("%Y-%m-%d"), people[i % len(people)]] for i, day in enumerate(days)],
        "span": {"months": apart.months, "days": apart.days},
    }
