"""The SQL of the lines: what costs something runs only for the rows that need it.

DuckDB computes an expression that occurs twice once, in front of everything, for all rows: also where
both places stand in branches that few rows reach.  Twenty million rows then pay for a rupiah sign that
none of them has.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rfm_backend import Options
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.library import read_sources
from rfm_backend.pipeline.clean import judged_lines_sql
from rfm_backend.pipeline.mapping.find import plan_columns
from rfm_backend.pipeline.run import line_request
from rfm_backend.progress import no_progress

FILES = {
    "plain": ("customer,invoice,date,quantity,price", "c{n},A{n},2024-01-{d:02} 10:00,2,{n}.50"),
    "German": ("Kunde;Rechnung;Rechnungsdatum;Betrag", "c{n};A{n};{d}.01.2024;{n},50"),
    "rupiah": ("pelanggan;faktur;tanggal;total", "c{n};A{n};{d} Januari 2024;Rp {n}.000,00"),
    "American": ("customer,invoice,date,amount", 'c{n},A{n},01/{d:02}/2024 1:08 PM,"${n}.50"'),
    "months": ("customer,invoice,date,amount", "c{n},A{n},Jan {d:02} 2024,{n}"),
}


def projections(plan: dict[str, object]) -> Iterator[str]:
    info, children = plan.get("extra_info"), plan.get("children")
    assert isinstance(info, dict)
    assert isinstance(children, list)
    found = info.get("Projections", [])
    yield from [found] if isinstance(found, str) else found
    for child in children:
        yield from projections(child)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("duplicates", ["keep", "drop"])
def test_no_costly_expression_is_computed_for_all_rows(
    tmp_path: Path, engine: DuckDBEngine, name: str, duplicates: str
) -> None:
    header, row = FILES[name]
    source = tmp_path / "shop.csv"
    source.write_text("\n".join([header, *(row.format(n=n, d=13 + n % 10) for n in range(1, 60))]))
    options = Options(duplicates="drop" if duplicates == "drop" else "keep")
    tables = read_sources(source, options, workdir=tmp_path, progress=no_progress)
    request = line_request(
        tables, plan_columns(tables, options, engine, assume_unmarked=True), options
    )

    ((_, text),) = engine.rows(f"EXPLAIN (FORMAT JSON) {judged_lines_sql(request, engine)}")

    lines = [line.strip() for line in projections(json.loads(str(text))[0])]
    assert len(lines) > 10
    costly = [
        line
        for line in lines
        if "regexp_" in line and not line.lower().startswith(("case", "coalesce"))
    ]
    assert costly == []
