"""Faults to plant, at least one in each stage: wrong code that looks right, and the tests that must see it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Fault:
    """``right`` stands once in ``module`` (within the package) and becomes ``wrong``; ``tests`` must fail."""

    module: str
    right: str
    wrong: str
    tests: str


FAULTS: Final = (
    # Reading: lines counted from the wrong one, checks left out.
    Fault(
        module="reading/lines.py",
        right="for line, text in enumerate(stream, start=1):",
        wrong="for line, text in enumerate(stream, start=2):",
        tests="tests/reading/test_lines.py",
    ),
    Fault(
        module="reading/workbook_guard.py",
        right="if places > FREE_PLACES and",
        wrong="if False and places > FREE_PLACES and",
        tests="tests/reading/test_workbook.py",
    ),
    Fault(
        module="reading/archive.py",
        right="    if unpacked > most_bytes:",
        wrong="    if unpacked > 1000 * most_bytes:",
        tests="tests/reading/test_archive.py",
    ),
    # Mapping: brackets no longer negative, serials a day late, blanks kept at the end.
    Fault(
        module="pipeline/mapping/numbers.py",
        right=r"'^\((.*)\)$', '-\1')",
        wrong=r"'^\((.*)\)$', '\1')",
        tests="tests/pipeline/mapping",
    ),
    Fault(
        module="pipeline/mapping/dates.py",
        right='origin = "1899-12-30"',
        wrong='origin = "1899-12-31"',
        tests="tests/pipeline/mapping",
    ),
    Fault(
        module="pipeline/mapping/cells.py",
        right="THEN trim({text}",
        wrong="THEN ltrim({text}",
        tests="tests/pipeline/mapping tests/pipeline/test_clean.py",
    ),
    # Cleaning: zero counts as a sale, a return takes an open sale back, rows read lose those kept.
    Fault(
        module="pipeline/lines.py",
        right='(f"{role}_number <= 0", f"{word}_not_positive")',
        wrong='(f"{role}_number < 0", f"{word}_not_positive")',
        tests="tests/pipeline/test_clean.py",
    ),
    Fault(
        module="pipeline/returns.py",
        right="UNBOUNDED FOLLOWING) < balance AS",
        wrong="UNBOUNDED FOLLOWING) <= balance AS",
        tests="tests/pipeline/test_clean.py",
    ),
    Fault(
        module="pipeline/accounting.py",
        right="rows_read=kept_rows + sum(",
        wrong="rows_read=sum(",
        tests="tests/pipeline/test_clean.py tests/test_online_retail.py",
    ),
    # Aggregating: the snapshot is the last day itself; every line is a purchase.
    Fault(
        module="pipeline/aggregate.py",
        right="last + dt.timedelta(days=1) if",
        wrong="last + dt.timedelta(days=0) if",
        tests="tests/pipeline/test_aggregate.py",
    ),
    Fault(
        module="pipeline/aggregate.py",
        right='if c.CURRENCY in plan.columns else "count(*)"',
        wrong='if c.CURRENCY in plan.columns else "sum(n_rows)"',
        tests="tests/pipeline/test_aggregate.py",
    ),
    # Scoring: ties go up instead of down; one-time buyers share a score with others.
    Fault(
        module="pipeline/score.py",
        right='side="right" if right_open else "left"',
        wrong='side="left" if right_open else "right"',
        tests="tests/pipeline/test_score.py",
    ),
    Fault(
        module="pipeline/score.py",
        right="repeated = frequency[frequency > 1]",
        wrong="repeated = frequency[frequency >= 1]",
        tests="tests/pipeline/test_score.py",
    ),
    # Segments: recency and frequency exchanged.
    Fault(
        module="pipeline/segment.py",
        right="return lookup[r_score, f_score]",
        wrong="return lookup[f_score, r_score]",
        tests="tests/pipeline/test_segment.py",
    ),
    # Features and clusters: no logarithm, worst first, everybody lapsing.
    Fault(
        module="pipeline/features.py",
        right="return np.log1p(column)",
        wrong="return np.sqrt(column)",
        tests="tests/pipeline/test_features.py",
    ),
    Fault(
        module="pipeline/cluster.py",
        right="value = -recency + frequency + monetary",
        wrong="value = recency - frequency - monetary",
        tests="tests/pipeline/test_cluster.py",
    ),
    Fault(
        module="pipeline/cluster_names.py",
        right="cluster.recency <= quantiles.median_recency",
        wrong="cluster.recency < quantiles.median_recency / 2",
        tests="tests/pipeline/test_cluster_names.py",
    ),
    # What is said of the result.
    Fault(
        module="pipeline/profile.py",
        right="share_of_monetary=float(_decimal(money) / _decimal(total))",
        wrong="share_of_monetary=float(_integer(count) / _integer(n_customers))",
        tests="tests/pipeline/test_profile.py",
    ),
    Fault(
        module="pipeline/findings.py",
        right="if share <= WHALE_SHARE:",
        wrong="if share > WHALE_SHARE:",
        tests="tests/pipeline/test_findings.py",
    ),
    Fault(
        module="pipeline/moves.py",
        right="cell = scorer.cell(_JUST_BOUGHT, orders, monetary + CENT)",
        wrong="cell = scorer.cell(recency, orders, monetary + CENT)",
        tests="tests/pipeline/test_explain.py",
    ),
    Fault(
        module="pipeline/strict_json.py",
        right="if unknown:",
        wrong="if not unknown and False:",
        tests="tests/pipeline/test_model.py",
    ),
    # Output: a formula gets through, a file appears before it is whole.
    Fault(
        module="output/cells.py",
        right='return f"\'{text}" if _PATTERN.search(text) else text',
        wrong="return text",
        tests="tests/output/test_tables.py",
    ),
    Fault(
        module="output/report/__init__.py",
        right="autoescape=True",
        wrong="autoescape=False",
        tests="tests/output/test_report.py",
    ),
    Fault(
        module="output/atomic.py",
        right="    if path.exists() and not force:",
        wrong="    if path.exists() and force:",
        tests="tests/output/test_atomic.py",
    ),
)
