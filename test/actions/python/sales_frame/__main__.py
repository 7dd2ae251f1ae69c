"""Summarises sales with pandas: the largest archive of the lot."""
import io

import pandas as pd


def main(args):
    frame = pd.read_csv(io.StringIO(args["csv"]), parse_dates=["date"])
    frame["month"] = frame["date"].dt.strftime("%Y-%m")
    table = frame.pivot_table(index="month", columns="region", values="amount", aggfunc="sum", fill_value=0)
    rolling = frame.sort_values("date").set_index("date")["amount"].rolling("31D").sum()
    return {
        "rows": len(frame),
        "table": {month: {k: float(v) for k, v in row.items()} for month, row in table.to_dict("index").items()},
        "best": frame.groupby("region")["amount"].sum().idxmax(),
        "rolling": [round(float(v), 2) for v in rolling],
    }
