"""What a DuckDB user would write by hand: read, clean and aggregate in one statement; no accounting."""

import sys

import duckdb

path, out = sys.argv[1:3]
# A cancelled invoice has a letter; whether the sample that DuckDB looks at has one is chance.
kinds = {"InvoiceNo": "VARCHAR", "CustomerID": "VARCHAR"}
lines = (
    duckdb.read_parquet(path) if path.endswith(".parquet") else duckdb.read_csv(path, dtype=kinds)
)
duckdb.sql(
    f"""COPY (
        WITH customers AS (
            SELECT CustomerID, max(InvoiceDate) AS last, count(DISTINCT InvoiceNo) AS frequency,
                sum(Quantity * UnitPrice) AS monetary
            FROM lines WHERE CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0
            GROUP BY CustomerID
        )
        SELECT CustomerID, date_diff('day', CAST(last AS DATE), (SELECT CAST(max(last) AS DATE)
            FROM customers)) + 1 AS recency, frequency, monetary
        FROM customers ORDER BY CustomerID
    ) TO '{out}' (HEADER)"""
)
