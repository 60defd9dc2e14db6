"""The one-page summary of an analysis on the terminal.

In:  `Summary`, the words of a language, the width of the terminal.
Out: rich text, line by line: what was read, kept and set aside and why, segments, clusters, how the
     two agree, what to mind, what was written.

What always holds: every row and all money of the accounting is shown; nothing is computed but shares;
a segment or cluster without words in the catalogue is shown by its key, made readable.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rfm_backend.catalogue import Words
from rfm_backend.cli.layout import Column, Row, bar, lay_out, wrap
from rfm_backend.output.phrases import phrase_finding, typed_hint
from rfm_backend.pipeline.analysis import ClusterProfile, Quality, SegmentProfile, Summary

if TYPE_CHECKING:
    from rich.text import Text

_BAR_WIDTH: Final = 10
_BAR_PLACE: Final = 8
# Below this width there is no room for the bars.
_ROOM_FOR_BARS: Final = 92
_CRITERIA: Final = (
    "n_clusters", "silhouette", "davies_bouldin", "calinski_harabasz", "gap_statistic", "stability",
    "smallest_share",
)  # fmt: skip
_HEADING: Final = "bold"
_GOOD: Final = "green"
_BAD: Final = "yellow"


def summary_lines(summary: Summary, words: Words, *, width: int) -> list["Text"]:
    """Return the page, without what was written."""
    return [
        *_title(summary.quality, words, width),
        *_gap(),
        *_rows(summary.quality, words, width),
        *_gap(),
        *_segments(summary, words, width),
        *_gap(),
        *_clusters(summary, words, width),
        *_criteria(summary, words, width),
        *_cross_check(summary, words, width),
        *_gap(),
        *_findings(summary, words, width),
    ]


def written_lines(
    written: Sequence[tuple[str, Path | str]], words: Words, *, seconds: float, width: int
) -> list["Text"]:
    """Return what was written, and how long everything took."""
    done = words("terminal.done", seconds=words.number(round(seconds, 1), 1))
    if not written:
        return [
            *wrap(words("terminal.nothing_written"), width=width, indent=0, style="dim"),
            *wrap(done, width=width, indent=0, style="dim"),
        ]
    return [
        *heading(words("terminal.written_title")),
        *_written(written, words, width),
        *_gap(),
        *wrap(done, width=width, indent=0, style="dim"),
    ]


def _written(written: Sequence[tuple[str, Path | str]], words: Words, width: int) -> list["Text"]:
    """Return a line per file; where one is too long for two columns, the path alone, never cut."""
    from rich.text import Text

    told = [(str(path), words(f"terminal.written_{what}")) for what, path in written]
    room = max(len(path) for path, _ in told)
    if room + max(len(text) for _, text in told) + 4 <= width:
        return [
            Text("  ").append(path.ljust(room), style=_HEADING).append(f"  {text}")
            for path, text in told
        ]
    return [
        line
        for path, text in told
        for line in (Text("  ").append(path, style=_HEADING), Text(f"    {text}", style="dim"))
    ]


def readable_name(words: Words, section: str, key: str) -> str:
    """Return the words for a key, or the key itself made readable.

    Examples
    --------
    >>> from rfm_backend.catalogue import words
    >>> readable_name(words("en"), "segments", "my_own_segment")
    'My own segment'
    """
    full = f"{section}.{key}"
    if full in words:
        return words(full)
    stem, mark, number = key.rpartition("_")
    if mark and number.isdecimal() and f"{section}.{stem}" in words:
        return f"{words(f'{section}.{stem}')} {number}"
    text = key.replace("_", " ")
    return text[:1].upper() + text[1:]


def _title(quality: Quality, words: Words, width: int) -> list["Text"]:
    files = quality.files
    shown = (
        ", ".join(files)
        if len(files) <= 2
        else words("terminal.files_more", first=files[0], n=words.number(len(files) - 1))
    )
    scope = words(
        "terminal.scope",
        customers=words.number(quality.n_customers),
        invoices=words(
            f"terminal.counts_{quality.frequency_counts}", n=words.number(quality.n_invoices)
        ),
        first_date=words.date(quality.first_date),
        last_date=words.date(quality.last_date),
        snapshot_date=words.date(quality.snapshot_date),
    )
    return [
        *wrap(words("terminal.title", files=shown), width=width, indent=0, style="bold cyan"),
        *wrap(scope, width=width, indent=0),
    ]


def _rows(quality: Quality, words: Words, width: int) -> list["Text"]:
    """The accounting: read, kept, and each reason for setting rows aside."""

    def row(name: str, rows: int, amount: Decimal | None, style: str = "") -> Row:
        money = "" if amount is None else _exact_money(amount, words)
        share = words.percent(rows / quality.rows_read) if quality.rows_read else ""
        return Row(cells=(name, words.number(rows), share, money), style=style)

    columns = (
        Column(head=words("terminal.rows_what"), flexible=True),
        Column(head=words("terminal.rows_rows"), right=True),
        Column(head=words("terminal.rows_share"), right=True),
        Column(head=words("terminal.rows_money"), right=True),
    )
    rows = [
        row(words("terminal.rows_read"), quality.rows_read, quality.amount_read),
        row(words("terminal.rows_kept"), quality.rows_kept, quality.amount_kept, _GOOD),
        *(
            row(readable_name(words, "reasons", aside.reason), aside.rows, aside.amount, _BAD)
            for aside in quality.set_aside
        ),
    ]
    note = (
        words("terminal.currency_known", currency=quality.currency)
        if quality.currency
        else words("terminal.currency_unknown")
    )
    return [
        *heading(words("terminal.rows_title"), note),
        *lay_out(columns, rows, width=width),
    ]


def _segments(summary: Summary, words: Words, width: int) -> list["Text"]:
    method = f"terminal.method_{summary.score_method}"
    note = words(
        "terminal.segments_note",
        table=summary.segment_table,
        method=words(method) if method in words else words("terminal.method_thresholds"),
    )
    largest = max((one.share_of_monetary for one in summary.segments), default=0.0)
    rows = [
        Row(
            cells=(
                readable_name(words, "segments", one.segment),
                *_profile_cells(one, words, width, largest),
            ),
            style="" if one.n_customers else "dim",
            styles={0: _HEADING, _BAR_PLACE: "cyan"},
            beneath=_action(one, words),
        )
        for one in summary.segments
    ]
    columns = (
        Column(head=words("terminal.head_segment"), flexible=True),
        *_profile_columns(words, width),
    )
    return [
        *heading(words("terminal.segments_title"), note),
        *lay_out(columns, rows, width=width),
    ]


def _action(one: SegmentProfile, words: Words) -> str:
    key = f"segments.{one.segment}_action"
    return words(key) if one.n_customers and key in words else ""


def _clusters(summary: Summary, words: Words, width: int) -> list["Text"]:
    largest = max((one.share_of_monetary for one in summary.clusters), default=0.0)
    rows = [
        Row(
            cells=(
                f"{one.cluster}  {readable_name(words, 'clusters', one.name)}",
                *_profile_cells(one, words, width, largest),
            ),
            styles={0: _HEADING, _BAR_PLACE: "cyan"},
        )
        for one in summary.clusters
    ]
    columns = (
        Column(head=words("terminal.head_cluster"), flexible=True),
        *_profile_columns(words, width),
    )
    note = words("terminal.clusters_note", seed=summary.seed)
    return [
        *heading(words("terminal.clusters_title"), note),
        *lay_out(columns, rows, width=width),
        *wrap(words("terminal.medians_note"), width=width, style="dim"),
    ]


def _profile_columns(words: Words, width: int) -> tuple[Column, ...]:
    columns = (
        Column(head=words("terminal.head_customers"), right=True),
        Column(head=words("terminal.head_share"), right=True),
        Column(head=words("terminal.head_recency"), right=True),
        Column(head=words("terminal.head_frequency"), right=True),
        Column(head=words("terminal.head_monetary"), right=True),
        Column(head=words("terminal.head_money"), right=True),
        Column(head=words("terminal.head_money_share"), right=True),
    )
    return (*columns, Column(head="")) if width >= _ROOM_FOR_BARS else columns


def _profile_cells(
    one: SegmentProfile | ClusterProfile, words: Words, width: int, largest: float
) -> tuple[str, ...]:
    is_empty = one.n_customers == 0
    cells = (
        words.number(one.n_customers),
        words.percent(one.share_of_customers),
        "" if is_empty else words.number(one.median_recency, None),
        "" if is_empty else words.number(one.median_frequency, None),
        ""
        if is_empty
        else words.number(one.median_monetary, 0 if one.median_monetary >= 1000 else 2),
        "" if is_empty else words.money(one.monetary),
        "" if is_empty else words.percent(one.share_of_monetary),
    )
    if width < _ROOM_FOR_BARS:
        return cells
    return (*cells, bar(one.share_of_monetary / largest, _BAR_WIDTH) if largest > 0 else "")


def _criteria(summary: Summary, words: Words, width: int) -> list["Text"]:
    """The criteria of several numbers of clusters, where they were compared."""
    if not summary.criteria:
        return []
    columns = tuple(Column(head=words(f"criteria.{key}"), right=True) for key in _CRITERIA)
    rows = [
        Row(
            cells=(
                words.number(one.n_clusters),
                words.number(one.silhouette, 3),
                words.number(one.davies_bouldin, 3),
                words.number(one.calinski_harabasz, 0),
                words.number(one.gap, 3),
                words.number(one.stability, 2),
                words.percent(one.smallest_share),
            ),
            style=_HEADING if one.n_clusters == len(summary.clusters) else "",
        )
        for one in summary.criteria
    ]
    rule = f"criteria.{summary.cluster_choice}"
    chosen = words(rule, n_clusters=len(summary.clusters)) if rule in words else ""
    return [
        *_gap(),
        *heading(words("terminal.criteria_title")),
        *lay_out(columns, rows, width=width),
        *wrap(chosen, width=width),
    ]


def _cross_check(summary: Summary, words: Words, width: int) -> list["Text"]:
    """How far the two groupings agree, in one sentence and two examples."""
    total = sum(sum(counts) for counts in summary.cross_table.values())
    if not total:
        return []
    agreeing = sum(max(counts, default=0) for counts in summary.cross_table.values())
    by_size = {one.segment: one for one in summary.segments if one.n_customers}
    richest = max(by_size.values(), key=lambda one: one.monetary).segment
    largest = max(by_size.values(), key=lambda one: one.n_customers).segment
    details = " ".join(
        _cross_detail(segment, summary, words) for segment in dict.fromkeys((richest, largest))
    )
    text = words("terminal.cross_check", share=words.percent(agreeing / total), details=details)
    return [*_gap(), *wrap(text, width=width, indent=0)]


def _cross_detail(segment: str, summary: Summary, words: Words) -> str:
    counts = summary.cross_table[segment]
    cluster = max(range(len(counts)), key=lambda place: counts[place])
    return words(
        "terminal.cross_check_detail",
        segment=readable_name(words, "segments", segment),
        share=words.percent(counts[cluster] / sum(counts)),
        cluster=cluster,
        name=readable_name(words, "clusters", summary.clusters[cluster].name),
    )


def _findings(summary: Summary, words: Words, width: int) -> list["Text"]:
    if not summary.findings:
        return wrap(words("terminal.nothing_to_warn"), width=width, indent=0, style=_GOOD)
    lines = heading(words("terminal.warnings_title"))
    # Warnings first; within a level the order of the pipeline, which puts the gravest first.
    ordered = sorted(summary.findings, key=lambda one: one.level != "warning")
    for finding in ordered:
        is_warning = finding.level == "warning"
        told = phrase_finding(finding, words, currency=summary.quality.currency)
        lines += wrap(
            f"{told} {typed_hint(finding, words)}".rstrip(),
            width=width,
            first="! " if is_warning else "  ",
            style=_BAD if is_warning else "dim",
        )
    return lines


def _exact_money(amount: Decimal, words: Words) -> str:
    """Return an amount of the accounting to the cent, so that a reader can add it up."""
    return words.number(amount, 2)


def heading(text: str, note: str = "") -> list["Text"]:
    """Return the line above a part of a page, with a note in grey beside it."""
    from rich.text import Text

    line = Text().append(text, style="bold underline")
    return [line.append(f"  {note}", style="dim") if note else line]


def _gap() -> list["Text"]:
    from rich.text import Text

    return [Text("")]
