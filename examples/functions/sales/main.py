"""Adds up {"rows": [{"city", "amount"}, ...]} by city."""

import pandas


def handler(event):
    table = pandas.DataFrame(event["rows"])
    return table.groupby("city")["amount"].sum().to_dict()
