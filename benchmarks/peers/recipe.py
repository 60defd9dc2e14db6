"""The recipe that tutorials give: pandas (openpyxl for a workbook), quintiles, scikit-learn's KMeans."""

import sys

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

path, out = sys.argv[1:3]
if path.endswith(".xlsx"):
    lines = pd.read_excel(path, engine="openpyxl")
else:
    lines = pd.read_csv(path, encoding="cp1252", dtype={"InvoiceNo": str, "StockCode": str})
    lines["InvoiceDate"] = pd.to_datetime(lines["InvoiceDate"], format="%m/%d/%Y %H:%M")
lines = lines[lines["CustomerID"].notna() & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
lines = lines.assign(amount=lines["Quantity"] * lines["UnitPrice"])
snapshot = lines["InvoiceDate"].max().normalize() + pd.Timedelta(days=1)
customers = lines.groupby("CustomerID").agg(
    last=("InvoiceDate", "max"), frequency=("InvoiceNo", "nunique"), monetary=("amount", "sum")
)
customers["recency"] = (snapshot - customers["last"].dt.normalize()).dt.days
values = customers[["recency", "frequency", "monetary"]]
customers["r_score"] = pd.qcut(values["recency"].rank(method="first"), 5, labels=False)
customers["f_score"] = pd.qcut(values["frequency"].rank(method="first"), 5, labels=False)
customers["m_score"] = pd.qcut(values["monetary"].rank(method="first"), 5, labels=False)
features = StandardScaler().fit_transform(np.log1p(values))
customers["cluster"] = KMeans(n_clusters=5, n_init=20, random_state=42).fit_predict(features)
customers.drop(columns="last").to_csv(out)
print(len(customers))
