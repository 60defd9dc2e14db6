"""Explains a customer of a result that was written earlier.

In:  a result file: .json, which holds its model; or .csv, .xlsx or .parquet with ``<name>.model.json``
     beside it; or a folder of parts in Parquet, likewise.
Out: `Explanation`.

What always holds: the values are those of the file, the thresholds those of its model; the day that
recency was counted to follows from the customer's own row.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import numpy as np

from rfm_backend import columns as c
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import FileNotFound, InvalidModel, UnknownCustomer
from rfm_backend.library import read_model, read_sources
from rfm_backend.output.atomic import is_folder_of_parts
from rfm_backend.output.cells import safe_text
from rfm_backend.output.tables import model_path
from rfm_backend.pipeline.explain import Explanation, Peers, explain_customer
from rfm_backend.pipeline.model import Model, model_from_json
from rfm_backend.pipeline.options import Options
from rfm_backend.progress import no_progress
from rfm_backend.work_folder import WorkFolder

_NEEDED: Final = (c.CUSTOMER_ID, c.RECENCY, c.FREQUENCY, c.MONETARY, c.LAST_PURCHASE_DATE)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The rows of one customer, as text by column, and all customers' values by group."""

    rows: Sequence[Mapping[str, str]]
    peers: Mapping[str, Peers]


def explain_stored(path: Path, customer_id: str, *, group: str | None) -> Explanation:
    """Return why a customer of the result at `path` stands where he stands.

    Raises
    ------
    FileNotFound
        There is no such file, or its model does not stand beside it.
    InvalidModel
        The file is no result, or its model cannot be read.
    UnknownCustomer
        The customer is not in it, or in several groups and `group` names none.
    """
    if not path.exists():
        raise FileNotFound(f"There is no file {path}.", file=str(path))
    if path.suffix.lower() == ".json":
        model, found = _read_json(path, customer_id)
    else:
        model = _model_beside(path)
        found = _read_table(path, customer_id, has_groups=model.options.by is not None)
    row = _choose(found.rows, customer_id, group, path)
    try:
        recency, frequency = int(row[c.RECENCY]), int(row[c.FREQUENCY])
        monetary = Decimal(row[c.MONETARY])
        last_date = dt.date.fromisoformat(row[c.LAST_PURCHASE_DATE][:10])
    except (ValueError, InvalidOperation) as error:
        raise InvalidModel(
            f"{path.name} has been changed: the row of {customer_id} holds no numbers where they "
            "belong. Use the file as rfm wrote it."
        ) from error
    return explain_customer(
        customer_id,
        recency=recency,
        frequency=frequency,
        monetary=monetary,
        model=model,
        group=row["group"],
        snapshot_date=last_date + dt.timedelta(days=recency),
        peers=found.peers.get(row["group"]),
    )


def _choose(
    rows: Sequence[Mapping[str, str]], customer_id: str, group: str | None, path: Path
) -> Mapping[str, str]:
    chosen = [row for row in rows if group is None or row["group"] == group]
    if not chosen:
        where = path.name if group is None else f"{path.name} in the group {group!r}"
        raise UnknownCustomer(
            f"There is no customer {customer_id!r} in {where}. Write it as it stands in the file: "
            "capitals and leading zeros count.",
            customer_id=customer_id,
        )
    if len(chosen) > 1:
        groups = ", ".join(row["group"] for row in chosen)
        raise UnknownCustomer(
            f"Customer {customer_id!r} is in several groups: give --group with one of {groups}.",
            groups=groups,
        )
    return chosen[0]


def _model_beside(path: Path) -> Model:
    beside = model_path(path)
    if not beside.exists():
        raise FileNotFound(
            f"{path.name} has no model beside it: {beside.name} is missing. rfm segment writes both; "
            "a .json result holds its own.",
            file=str(beside),
        )
    return read_model(beside)


def _read_table(path: Path, customer_id: str, *, has_groups: bool) -> _Found:
    """Look the customer up in a CSV, XLSX or Parquet result."""
    with WorkFolder() as folder:
        one = min(path.iterdir()) if is_folder_of_parts(path) else path
        tables = read_sources(one, Options(), workdir=Path(folder), progress=no_progress)
        if one is not path:
            path /= "*.parquet"
            tables = [replace(tables[0], path=path)]
        table = next((one for one in tables if set(_NEEDED) <= set(one.columns)), None)
        if table is None:
            raise _not_a_result(path)
        engine = DuckDBEngine(workdir=Path(folder))
        try:
            # With --by, the group stands second.
            group = quote_name(table.columns[1]) if has_groups else "''"
            source = engine.scan(table, table.columns)
            chosen = ", ".join(quote_name(name) for name in _NEEDED)
            ids = ", ".join(quote_text(text) for text in {customer_id, safe_text(customer_id)})
            rows = engine.rows(
                f"SELECT {chosen}, coalesce({group}, '') FROM {source} "
                f"WHERE {quote_name(c.CUSTOMER_ID)} IN ({ids})"
            )
            found = [
                dict(
                    zip(
                        (*_NEEDED, "group"),
                        ("" if cell is None else str(cell) for cell in row),
                        strict=True,
                    )
                )
                for row in rows
            ]
            populations = {
                row["group"]: _peers(engine, path, source, group if has_groups else "", row)
                for row in found
            }
        finally:
            engine.close()
    return _Found(rows=found, peers=populations)


def _peers(
    engine: DuckDBEngine, path: Path, source: str, group: str, row: Mapping[str, str]
) -> Peers:
    """Return the values of all customers of the row's group; `group` is its column, "" for none."""
    typed = f"read_parquet({quote_text(str(path))})"
    amounts = f"TRY_CAST({c.MONETARY} AS DOUBLE)"
    # The types that rfm wrote need no way through text, which takes seconds for a million.
    if path.suffix.lower() == ".parquet" and _has_decimals(engine, typed):
        source, amounts = typed, _amounts_sql(row[c.MONETARY])
    same = f" WHERE coalesce({group}, '') = {quote_text(row['group'])}" if group else ""
    arrays = engine.arrays(
        f"SELECT TRY_CAST({c.RECENCY} AS BIGINT) AS {c.RECENCY}, "
        f"TRY_CAST({c.FREQUENCY} AS BIGINT) AS {c.FREQUENCY}, "
        f"{amounts} AS {c.MONETARY} FROM {source}{same}"
    )
    recency, frequency, monetary = (np.asarray(values, np.float64) for values in arrays.values())
    return Peers(recency=recency, frequency=frequency, monetary=monetary)


def _has_decimals(engine: DuckDBEngine, source: str) -> bool:
    kinds = engine.rows(f"SELECT typeof({c.MONETARY}) FROM {source} LIMIT 1")
    return bool(kinds) and str(kinds[0][0]).startswith("DECIMAL")


def _amounts_sql(own: str) -> str:
    """Return SQL for the amounts as floats that compare with the customer's own as their texts do.

    The engine turns a decimal into a float that may be off in its last bit, and its text into the nearest
    one, in ten times the time: so only what is close to the customer's own amount goes through text.
    """
    rough = f"CAST({c.MONETARY} AS DOUBLE)"
    near = f"abs({rough} - TRY_CAST({quote_text(own)} AS DOUBLE)) <= 1e-12 * abs({rough})"
    return f"CASE WHEN {near} THEN CAST(CAST({c.MONETARY} AS VARCHAR) AS DOUBLE) ELSE {rough} END"


def _read_json(path: Path, customer_id: str) -> tuple[Model, _Found]:
    """Look the customer up in a .json result; amounts stay exact."""
    try:
        whole = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise _not_a_result(path) from error
    customers = whole.get("customers") if isinstance(whole, dict) else None
    if not isinstance(customers, list) or "model" not in whole:
        raise _not_a_result(path)
    model = model_from_json(json.dumps(whole["model"], default=float), path.name)
    if not all(isinstance(row, dict) and set(_NEEDED) <= set(row) for row in customers):
        raise _not_a_result(path)
    groups = _groups_of(customers, has_groups=model.options.by is not None)
    found = [
        {**{name: str(row[name]) for name in _NEEDED}, "group": group}
        for row, group in zip(customers, groups, strict=True)
        if row[c.CUSTOMER_ID] == customer_id
    ]
    populations = {
        name: Peers(
            recency=_values(customers, groups, name, c.RECENCY),
            frequency=_values(customers, groups, name, c.FREQUENCY),
            monetary=_values(customers, groups, name, c.MONETARY),
        )
        for name in {row["group"] for row in found}
    }
    return model, _Found(rows=found, peers=populations)


def _groups_of(customers: Sequence[Mapping[str, object]], *, has_groups: bool) -> list[str]:
    if not has_groups or not customers:
        return [""] * len(customers)
    column = list(customers[0])[1]
    return ["" if row.get(column) is None else str(row[column]) for row in customers]


def _values(
    customers: Sequence[Mapping[str, object]], groups: Sequence[str], group: str, column: str
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = (
        float(str(row[column])) for row, own in zip(customers, groups, strict=True) if own == group
    )
    return np.fromiter(values, dtype=np.float64)


def _not_a_result(path: Path) -> InvalidModel:
    return InvalidModel(
        f"{path.name} is no result of rfm segment: it needs the columns {', '.join(_NEEDED)}.",
        file=str(path),
    )
