"""What a Polars user would write by hand: read, clean and aggregate, streaming; no accounting."""

import datetime as dt
import sys

import polars as pl

path, out = sys.argv[1:3]
KINDS = {
    "InvoiceNo": pl.String(),
    "CustomerID": pl.String(),
    "Quantity": pl.Float64(),
    "UnitPrice": pl.Float64(),
    "InvoiceDate": pl.Datetime(),
}
table = (
    pl.scan_parquet(path).with_columns(pl.col(name).cast(kind) for name, kind in KINDS.items())
    if path.endswith(".parquet")
    else pl.scan_csv(path, schema_overrides=KINDS, try_parse_dates=True)
)
lines = table.select("CustomerID", "InvoiceNo", "InvoiceDate", "Quantity", "UnitPrice").filter(
    pl.col("CustomerID").is_not_null() & (pl.col("Quantity") > 0) & (pl.col("UnitPrice") > 0)
)
customers = (
    lines.group_by("CustomerID")
    .agg(
        last=pl.col("InvoiceDate").max(),
        frequency=pl.col("InvoiceNo").n_unique(),
        monetary=(pl.col("Quantity") * pl.col("UnitPrice")).sum(),
    )
    .collect(engine="streaming")
)
newest = customers["last"].max()
assert isinstance(newest, dt.datetime)
snapshot = newest.date()
customers = customers.with_columns(
    recency=(pl.lit(snapshot) - pl.col("last").dt.date()).dt.total_days() + 1
)
customers.drop("last").sort("CustomerID").write_csv(out)
print(len(customers))
