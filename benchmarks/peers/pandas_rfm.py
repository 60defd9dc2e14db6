"""What a pandas user would write by hand: read, clean and aggregate; no accounting."""

import sys

import pandas as pd

path, out = sys.argv[1:3]
lines = pd.read_csv(path, dtype={"InvoiceNo": str, "CustomerID": str}, parse_dates=["InvoiceDate"])
lines = lines[lines["CustomerID"].notna() & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
lines = lines.assign(amount=lines["Quantity"] * lines["UnitPrice"])
customers = lines.groupby("CustomerID").agg(
    last=("InvoiceDate", "max"), frequency=("InvoiceNo", "nunique"), monetary=("amount", "sum")
)
snapshot = customers["last"].max().normalize() + pd.Timedelta(days=1)
customers["recency"] = (snapshot - customers["last"].dt.normalize()).dt.days
customers.drop(columns="last").to_csv(out)
