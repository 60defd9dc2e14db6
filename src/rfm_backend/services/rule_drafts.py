"""Drafts of segment tables: what a change of the rules would do to an analysis, before it is kept.

In:  a published analysis; a `Draft`: which segments claim which score cell.
Out: `Effect`: gaps and overlaps by cell, who moves from where to where; the TOML of a draft.

What always holds: nothing is computed anew but the segments: scores stay as the analysis has them; the
customers of all segments, and of the cells without one, add up to all customers.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.errors import InvalidRequest
from rfm_backend.pipeline.model import model_from_json
from rfm_backend.pipeline.rule_files import MAX_NAME, MAX_SEGMENTS, all_cells
from rfm_backend.pipeline.rules import BUILT_IN_TABLES, RuleTable, built_in_rules
from rfm_backend.services.exports import folder_of
from rfm_backend.services.keeping import read_table, segment_tables
from rfm_backend.services.service import Service
from rfm_backend.storage import analyses
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.work_folder import WorkFolder

NOWHERE: Final = ""
_KEY_LENGTH: Final = 64


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A segment table on its way: ``claims`` may leave a cell out, or give it to several segments."""

    dimensions: Literal[2, 3]
    segments: tuple[str, ...]
    claims: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def gaps(self) -> tuple[str, ...]:
        """The cells of no segment."""
        return tuple(cell for cell in all_cells(self.dimensions) if not self.claims.get(cell))

    @property
    def overlaps(self) -> tuple[str, ...]:
        """The cells of several segments."""
        return tuple(
            cell for cell in all_cells(self.dimensions) if len(set(self.claims.get(cell, ()))) > 1
        )

    @property
    def unused(self) -> tuple[str, ...]:
        """The segments without a cell: they are left out of the table."""
        used = {key for keys in self.claims.values() for key in keys}
        return tuple(key for key in self.segments if key not in used)

    def segment_of(self, cell: str) -> str:
        """Return the segment of a cell of three digits, `NOWHERE` where it has none."""
        return next(iter(self.claims.get(cell[: self.dimensions], ())), NOWHERE)

    def to_toml(self) -> str:
        """Return the draft in the form that tables are kept in."""
        parts = [f"dimensions = {self.dimensions}"]
        for key in self.segments:
            if key in self.unused:
                continue
            cells = [
                cell for cell in all_cells(self.dimensions) if key in self.claims.get(cell, ())
            ]
            name = f"name = {_quoted(self.names[key])}\n" if key in self.names else ""
            listed = ", ".join(_quoted(cell) for cell in cells)
            parts.append(f"[[segment]]\nkey = {_quoted(key)}\n{name}cells = [{listed}]")
        return "\n\n".join(parts) + "\n"


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many customers, and their money."""

    n_customers: int = 0
    monetary: Decimal = Decimal(0)

    def __add__(self, other: "Share") -> "Share":
        return Share(
            n_customers=self.n_customers + other.n_customers,
            monetary=self.monetary + other.monetary,
        )


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a draft would do: each segment before and after, and who moves, the most money first."""

    segments: Mapping[str, tuple[Share, Share]]
    moves: Mapping[tuple[str, str], Share]

    @property
    def moved(self) -> Share:
        """Everybody who moves."""
        return sum(self.moves.values(), Share())


def table_of(service: Service, analysis: AnalysisHead) -> RuleTable:
    """Return the segment table that an analysis was made with, whether it is still kept or not."""
    text = service.database.read(
        lambda tx: analyses.model_json(tx, analysis.id, user_id=analysis.user_id)
    )
    return model_from_json(text).rules


def named_table(service: Service, user_id: int, name: str) -> RuleTable | None:
    """Return a table that is built in or kept by a user, None where there is none of this name."""
    if name in BUILT_IN_TABLES:
        return built_in_rules(name)
    saved = next((one for one in segment_tables(service, user_id) if one.name == name), None)
    return None if saved is None else read_table(saved)[0]


def draft_of(table: RuleTable) -> Draft:
    """Return a table as a draft, to be changed."""
    return Draft(
        dimensions=table.dimensions,
        segments=table.segments,
        claims={cell: (key,) for cell, key in table.cells.items()},
        names=table.names,
    )


def add_segment(draft: Draft, name: str) -> Draft:
    """Return a draft with one more segment, which has no cell yet.

    Raises
    ------
    InvalidRequest
        A name without letters, too long, or of a segment that is there.
    """
    shown = name.strip()
    key = re.sub(r"\W+", "_", shown.casefold()).strip("_")[:_KEY_LENGTH]
    if not key or len(shown) > MAX_NAME or not shown.isprintable():
        raise InvalidRequest(f"A segment's name has letters, at most {MAX_NAME}.", field="new_name")
    if key in draft.segments or len(draft.segments) >= MAX_SEGMENTS:
        raise InvalidRequest(
            "There is a segment of this name.", field="new_name", reason="segment_taken"
        )
    return replace(draft, segments=(*draft.segments, key), names={**draft.names, key: shown})


def cell_shares(service: Service, analysis: AnalysisHead) -> Mapping[str, Share]:
    """Return the customers of each score cell, of three digits; cells without any are left out."""
    return _shares(str(folder_of(service, analysis) / "result.parquet"))


def effect_of(service: Service, analysis: AnalysisHead, draft: Draft) -> Effect:
    """Return what a draft would do to an analysis."""
    table = table_of(service, analysis)
    before: dict[str, Share] = defaultdict(Share)
    after: dict[str, Share] = defaultdict(Share)
    moves: dict[tuple[str, str], Share] = defaultdict(Share)
    for cell, share in cell_shares(service, analysis).items():
        was, now = table.cells[cell[: table.dimensions]], draft.segment_of(cell)
        before[was] += share
        after[now] += share
        if was != now:
            moves[was, now] += share
    keys = dict.fromkeys([*table.segments, *draft.segments, *([NOWHERE] if draft.gaps else [])])
    return Effect(
        segments={key: (before[key], after[key]) for key in keys},
        moves=dict(sorted(moves.items(), key=lambda one: (-one[1].monetary, one[0]))),
    )


# A result never changes once it is published, and the editor asks at every stroke.
@lru_cache(maxsize=64)
def _shares(path: str) -> Mapping[str, Share]:
    sql = (
        "SELECT r_score, f_score, m_score, count(*), sum(monetary) "
        f"FROM read_parquet({quote_text(path)}) GROUP BY ALL ORDER BY ALL"
    )
    with WorkFolder() as workdir:
        engine = DuckDBEngine(workdir=Path(workdir), threads=1)
        try:
            rows = engine.rows(sql)
        finally:
            engine.close()
    return {
        f"{r}{f}{m}": Share(n_customers=int(str(count)), monetary=Decimal(str(money)))
        for r, f, m, count, money in rows
    }


def _quoted(text: str) -> str:
    # JSON's texts are TOML's as well, as far as they can be seen.
    return json.dumps(text, ensure_ascii=False)
