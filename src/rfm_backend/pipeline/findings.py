"""Stage 7: what a person should know before he acts on the result, each with its evidence.

    ... -> cluster -> profile -> [findings]

In:  the tables ``orders`` and ``customers``, scores, profiles, the plan and the accounting.
Out: `Finding` values, warnings first.

What always holds: a finding carries the figures that made it, never a bare opinion.

What it does not do: it changes no number and stops nothing.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.pipeline.aggregate import CUSTOMERS
from rfm_backend.pipeline.analysis import Finding, Quality, ScoreEdges, SegmentProfile
from rfm_backend.pipeline.clean import ORDERS
from rfm_backend.pipeline.lines import (
    REASON,
    ROW_HASH,
    SOURCE,
    LineRequest,
    lines_sql,
    row_hashes_sql,
)

FEW_CUSTOMERS = 50
WHALE_SHARE = 0.5
GUEST_SHARE = 0.05
GAP_DAYS = 366
CROWDED_SHARE = 0.9
UNREADABLE_SHARE = 0.05
# How many groups a finding names; the others it counts.
GROUPS_NAMED = 5
# Exact repetitions are looked for among this many first rows of each file.
ROWS_COMPARED = 3_000_000
_REPEATED = "repeated_rows"
# An offset as written behind a time of day: "+0000", "+07:00", "Z".
_OFFSET = r"\d\d ?([+-]\d\d:?\d\d|Z)\s*$"
_GUEST_WORDS = (
    "guest",
    "anonymous",
    "walk-in",
    "walkin",
    "walk in",
    "unknown",
    "cash",
    "tamu",
    "umum",
    "tanpa nama",
    "gast",
    "invitado",
    "convidado",
    "misafir",
    "0",
    "00000",
    "-",
    "none",
)


def find_about_customers(quality: Quality, engine: Engine) -> list[Finding]:
    """Return findings about single customers, the number of customers and the dates."""
    return [
        *_few_customers(quality),
        *_one_holds_half(quality, engine),
        *_guest_id(quality, engine),
        *_dates_ahead(quality, engine),
    ]


def find_about_scores(
    edges: Sequence[ScoreEdges], segments: Sequence[SegmentProfile]
) -> list[Finding]:
    """Return findings about scores and segments that hold nearly everybody, and scores of nobody.

    Of many groups each dimension is told once, with how many of them it concerns.
    """
    counts_of = {
        "recency": {entry.group: entry.r_counts for entry in edges},
        "frequency": {entry.group: entry.f_counts for entry in edges},
        "monetary": {entry.group: entry.m_counts for entry in edges},
    }
    findings: list[Finding] = []
    for dimension, counts in counts_of.items():
        findings += _crowded_score(dimension, counts)
    findings += [
        Finding(
            code="one_segment", values={"segment": entry.segment, "share": entry.share_of_customers}
        )
        for entry in segments
        if entry.n_customers > 1 and entry.share_of_customers >= CROWDED_SHARE
    ]
    for dimension, counts in counts_of.items():
        findings += _empty_scores(dimension, counts)
    return findings


def _crowded_score(dimension: str, counts_of: Mapping[str, Sequence[int]]) -> list[Finding]:
    crowded = {
        group: max(counts) / sum(counts)
        for group, counts in counts_of.items()
        if sum(counts) > 1 and max(counts) >= CROWDED_SHARE * sum(counts)
    }
    if not crowded:
        return []
    if _has_groups(counts_of):
        values = _groups_concerned(crowded, counts_of)
        return [Finding(code="one_score_in_groups", values={"dimension": dimension, **values})]
    ((group, share),) = crowded.items()
    score = counts_of[group].index(max(counts_of[group])) + 1
    values = {"dimension": dimension, "score": score, "share": share}
    return [Finding(code="one_score", values=values)]


def _empty_scores(dimension: str, counts_of: Mapping[str, Sequence[int]]) -> list[Finding]:
    empty = {
        group: [str(score) for score, count in enumerate(counts, start=1) if count == 0]
        for group, counts in counts_of.items()
        if 0 in counts
    }
    if not empty:
        return []
    values: dict[str, object]
    if _has_groups(counts_of):
        code, values = "scores_empty_in_groups", _groups_concerned(empty, counts_of)
    else:
        code, values = "scores_empty", {"scores": ", ".join(*empty.values())}
    return [Finding(code=code, level="note", values={"dimension": dimension, **values})]


def _has_groups(counts_of: Mapping[str, Sequence[int]]) -> bool:
    return tuple(counts_of) != ("",)


def _groups_concerned(
    concerned: Mapping[str, object], of: Mapping[str, object]
) -> dict[str, object]:
    names = ", ".join(list(concerned)[:GROUPS_NAMED]) + (
        ", …" if len(concerned) > GROUPS_NAMED else ""
    )
    return {"n_groups": len(concerned), "n_all_groups": len(of), "groups": names}


def find_about_rows(request: LineRequest, quality: Quality, engine: Engine) -> list[Finding]:
    """Return findings about rows but for repetitions: unreadable values, how purchases were counted."""
    return [
        *_unreadable(quality),
        *_counting(quality, engine),
        *_offsets(request, engine),
        *_plan_notes(request),
    ]


def _few_customers(quality: Quality) -> list[Finding]:
    if quality.n_customers >= FEW_CUSTOMERS:
        return []
    return [
        Finding(
            code="few_customers",
            values={"n_customers": quality.n_customers, "minimum": FEW_CUSTOMERS},
        )
    ]


def _one_holds_half(quality: Quality, engine: Engine) -> list[Finding]:
    if quality.n_customers < 2:
        return []
    ((who, money),) = engine.rows(
        f"SELECT {c.CUSTOMER_ID}, sum({c.MONETARY}) FROM {CUSTOMERS} "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    )
    share = float(Decimal(str(money)) / quality.amount_kept)
    if share <= WHALE_SHARE:
        return []
    return [
        Finding(
            code="one_customer_holds_half",
            values={"customer_id": str(who), "amount": money, "share": share},
        )
    ]


def _guest_id(quality: Quality, engine: Engine) -> list[Finding]:
    """A till or a guest checkout writes one id for everybody: it looks like the best customer."""
    ((who, purchases),) = engine.rows(
        f"SELECT {c.CUSTOMER_ID}, sum({c.FREQUENCY}) FROM {CUSTOMERS} "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    )
    ((total, middle),) = engine.rows(
        f"SELECT sum({c.FREQUENCY}), median({c.FREQUENCY}) FROM {CUSTOMERS}"
    )
    share = float(str(purchases)) / float(str(total))
    named = str(who).strip().lower() in _GUEST_WORDS
    swallows = quality.n_customers >= FEW_CUSTOMERS and float(str(purchases)) > 50 * float(
        str(middle)
    )
    if share < GUEST_SHARE or not (named or swallows):
        return []
    return [
        Finding(
            code="guest_id",
            values={"customer_id": str(who), "purchases": int(str(purchases)), "share": share},
        )
    ]


def _dates_ahead(quality: Quality, engine: Engine) -> list[Finding]:
    """A few rows dated years after the rest make everybody look lost."""
    found = engine.rows(
        "SELECT day, previous FROM (SELECT last_day AS day, lag(last_day) OVER (ORDER BY last_day) AS previous "
        f"FROM (SELECT DISTINCT last_day FROM {ORDERS} WHERE {REASON} IS NULL)) "
        f"WHERE date_diff('day', previous, day) > {GAP_DAYS} ORDER BY day DESC LIMIT 1"
    )
    if not found:
        return []
    day, previous = found[0]
    assert isinstance(day, dt.date)
    assert isinstance(previous, dt.date)
    ((rows, who),) = engine.rows(
        f"SELECT CAST(sum(n_rows) AS BIGINT), min({c.CUSTOMER_ID}) FROM {ORDERS} "
        f"WHERE {REASON} IS NULL AND last_day >= DATE '{day.isoformat()}'"
    )
    if int(str(rows)) * 10 > quality.rows_kept:
        return []
    return [
        Finding(
            code="dates_far_ahead",
            values={
                "rows": int(str(rows)),
                "day": day,
                "previous": previous,
                "gap_days": (day - previous).days,
                "customer_id": str(who),
            },
        )
    ]


def find_repetitions(request: LineRequest, engine: Engine) -> list[Finding]:
    """Count usable rows that repeat another one in every cell, and their money.

    It reads all columns of the files, so that it is worth running while something else computes.
    """
    if request.options.duplicates == "drop" or request.plan.level == "customers":
        return []
    asked = replace(
        request, with_hash=True, keep_rejects=False, first_rows=ROWS_COMPARED, hashes_in=_REPEATED
    )
    hashes = " UNION ALL ".join(
        f"(SELECT * FROM ({row_hashes_sql(table, asked, engine)}))" for table in request.tables
    )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {_REPEATED} AS SELECT {ROW_HASH} FROM ({hashes}) "
        f"GROUP BY {ROW_HASH} HAVING count(*) > 1"
    )
    ((repeated,),) = engine.rows(f"SELECT count(*) FROM {_REPEATED}")
    if not repeated:
        return []
    across = f"count(DISTINCT {SOURCE}) > 1"
    found = engine.rows(
        f"SELECT across, sum(n - 1), sum((n - 1) * money) FROM (SELECT count(*) AS n, "
        f"any_value({c.AMOUNT}) AS money, {across} AS across FROM ({lines_sql(asked, engine)}) "
        f"WHERE {REASON} IS NULL GROUP BY {ROW_HASH} HAVING count(*) > 1) GROUP BY across ORDER BY 1 DESC"
    )
    return [
        Finding(
            code="rows_repeated_across_files" if is_across else "exact_duplicates",
            values={
                "rows": int(str(rows)),
                "amount": Decimal(str(money)),
                "looked_at": ROWS_COMPARED,
            },
        )
        for is_across, rows, money in found
    ]


def _unreadable(quality: Quality) -> list[Finding]:
    return [
        Finding(
            code="many_unreadable",
            values={
                "reason": entry.reason,
                "rows": entry.rows,
                "share": entry.rows / quality.rows_read,
            },
        )
        for entry in quality.set_aside
        if (
            entry.reason.startswith("unreadable")
            or entry.reason in ("ragged_row", "number_out_of_range")
        )
        and entry.rows > UNREADABLE_SHARE * quality.rows_read
    ]


def _counting(quality: Quality, engine: Engine) -> list[Finding]:
    if quality.frequency_counts != "days":
        return []
    ((shared,),) = engine.rows(
        f"SELECT CAST(coalesce(sum(n_rows) FILTER (n_rows > 1), 0) AS BIGINT) FROM {ORDERS} WHERE {REASON} IS NULL"
    )
    return [Finding(code="days_counted", level="note", values={"rows": int(str(shared))})]


def _offsets(request: LineRequest, engine: Engine) -> list[Finding]:
    """Several offsets in one column: the same instant may count as two days, or two as one."""
    form = request.plan.dates.get(c.INVOICE_DATE)
    if form is None or not form.has_offsets or request.options.timezone is not None:
        return []
    column = quote_name(request.plan.columns[c.INVOICE_DATE])
    dates = " UNION ALL ".join(
        f"SELECT {column} AS written FROM {engine.scan(table, (request.plan.columns[c.INVOICE_DATE],))}"
        for table in request.tables
    )
    found = engine.rows(
        f"SELECT DISTINCT regexp_extract(written, {quote_text(_OFFSET)}, 1) AS offset_text "
        f"FROM ({dates}) WHERE regexp_matches(written, {quote_text(_OFFSET)}) ORDER BY 1 LIMIT 10"
    )
    offsets = [str(row[0]) for row in found]
    if len(offsets) > 1:
        return [Finding(code="several_offsets", values={"offsets": ", ".join(offsets)})]
    return [Finding(code="written_offsets", level="note")]


def _plan_notes(request: LineRequest) -> list[Finding]:
    plan = request.plan
    notes = []
    customer = next((guess for guess in plan.guesses if guess.role == c.CUSTOMER_ID), None)
    if customer is not None and customer.reason in c.CONTACT_ROLES:
        values = {"column": customer.column, "role": customer.reason}
        notes.append(Finding(code="customer_by_other_column", level="note", values=values))
    if plan.status is not None and plan.status.unknown:
        notes.append(
            Finding(code="unknown_status", values={"words": ", ".join(plan.status.unknown)})
        )
    notes += [
        Finding(
            code="unsure_column",
            values={"role": guess.role, "option": guess.role, "column": guess.column},
        )
        for guess in plan.guesses
        if guess.column is not None
        and guess.role in plan.columns
        and guess.confidence < CROWDED_SHARE / 2
    ]
    return notes
