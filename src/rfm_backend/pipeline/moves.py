"""The smallest changes that would give a customer another segment, edges and rules frozen.

    score -> segment -> [moves] -> explain

In:  one customer's values, his group's edges, the rule table, the snapshot date.
Out: at most one `Move` per dimension.

What a move means.  A dimension cannot be turned by itself, so each move is something that a
customer or a shop does:
    * recency: nothing is bought.  ``by_date`` is the first day on which the segment is another one;
    * frequency: ``change`` more orders, worth a cent together.  An order also makes the customer
      recent, so the new cell has the recency score of the day after a purchase;
    * monetary: one more order of at least ``change``.  It counts as one more order and as recent;
      shown where its size decides, so where a small order leads elsewhere.
Orders have a deadline, ``by_date``: the day on which silence moves the customer instead.  Until
then the move starts from the present segment.  It is None where silence changes nothing.

What always holds: every move ends in another segment than the present one, and no smaller change of
its kind does.

What this module does not do: it words no sentence.
"""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, localcontext
from typing import Final, Literal

import numpy as np

from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import N_SCORES, edges_passed

Dimension = Literal["recency", "frequency", "monetary"]

CENT: Final = Decimal("0.01")
# The day after a purchase: what recency is for the most recent customer.
_JUST_BOUGHT: Final = 1
# Edges beyond it are out of any customer's reach, and of exact decimals in cents.
_OUT_OF_REACH: Final = 1e30


@dataclass(frozen=True, kw_only=True)
class Move:
    """The smallest change of one kind that alters the segment, edges frozen.

    ``change`` is days of silence (recency), further orders (frequency) or the least amount of one
    further order (monetary).  ``by_date`` is the day of the change for recency; for the others the
    order has to come before it, None meaning any day.
    """

    dimension: Dimension
    change: int | Decimal
    by_date: dt.date | None
    new_cell: str
    new_segment: str


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """One group's frozen edges and the rule table: from values to a cell and its segment."""

    edges: ScoreEdges
    rules: RuleTable

    def cell(self, recency: int, frequency: int, monetary: Decimal) -> str:
        """Return the three scores as a text of three digits."""
        r_score = N_SCORES - self._passed(recency, self.edges.recency)
        f_score = 1 + self._passed(frequency, self.edges.frequency)
        m_score = 1 + self._passed(monetary, self.edges.monetary)
        return f"{r_score}{f_score}{m_score}"

    def segment(self, cell: str) -> str:
        """Return the segment of a cell of three digits."""
        return self.rules.cells[cell[: self.rules.dimensions]]

    def _passed(self, value: int | Decimal, edges: tuple[float, ...]) -> int:
        values = np.array([float(value)])
        return int(edges_passed(values, edges, right_open=self.edges.right_open)[0])


def find_moves(
    scorer: Scorer, recency: int, frequency: int, monetary: Decimal, snapshot: dt.date
) -> Iterator[Move]:
    """Yield the move of each dimension that has one; the order is R, F, M."""
    silence = _silence_move(scorer, recency, frequency, monetary, snapshot)
    deadline = silence.by_date if silence else None
    if silence:
        yield silence
    order = _order_move(scorer, recency, frequency, monetary, deadline)
    if order:
        yield order
    amount = _amount_move(scorer, recency, frequency, monetary, deadline)
    if amount:
        yield amount


def _silence_move(
    scorer: Scorer, recency: int, frequency: int, monetary: Decimal, snapshot: dt.date
) -> Move | None:
    now = scorer.segment(scorer.cell(recency, frequency, monetary))
    for edge in scorer.edges.recency:
        later = _first_whole_beyond(edge, right_open=scorer.edges.right_open)
        cell = scorer.cell(later, frequency, monetary)
        if later <= recency or scorer.segment(cell) == now:
            continue
        days = later - recency
        if days > (dt.date.max - snapshot).days:
            return None
        return Move(
            dimension="recency",
            change=days,
            by_date=snapshot + dt.timedelta(days=days),
            new_cell=cell,
            new_segment=scorer.segment(cell),
        )
    return None


def _order_move(
    scorer: Scorer, recency: int, frequency: int, monetary: Decimal, deadline: dt.date | None
) -> Move | None:
    now = scorer.segment(scorer.cell(recency, frequency, monetary))
    steps = [
        _first_whole_beyond(edge, right_open=scorer.edges.right_open)
        for edge in scorer.edges.frequency
        if edge <= _OUT_OF_REACH
    ]
    # One order alone may be enough: it makes the customer recent.  Edges ascend, so steps do.
    for orders in [frequency + 1, *(step for step in steps if step > frequency + 1)]:
        cell = scorer.cell(_JUST_BOUGHT, orders, monetary + CENT)
        if scorer.segment(cell) != now:
            return Move(
                dimension="frequency",
                change=orders - frequency,
                by_date=deadline,
                new_cell=cell,
                new_segment=scorer.segment(cell),
            )
    return None


def _amount_move(
    scorer: Scorer, recency: int, frequency: int, monetary: Decimal, deadline: dt.date | None
) -> Move | None:
    now = scorer.segment(scorer.cell(recency, frequency, monetary))
    small_order = scorer.cell(_JUST_BOUGHT, frequency + 1, monetary + CENT)
    after_small_order = scorer.segment(small_order)
    for edge in scorer.edges.monetary:
        if edge > _OUT_OF_REACH:
            return None
        amount = _least_amount(scorer, monetary, edge)
        cell = scorer.cell(_JUST_BOUGHT, frequency + 1, monetary + amount)
        if amount > 0 and scorer.segment(cell) not in (now, after_small_order):
            return Move(
                dimension="monetary",
                change=amount,
                by_date=deadline,
                new_cell=cell,
                new_segment=scorer.segment(cell),
            )
    return None


def _first_whole_beyond(edge: float, *, right_open: bool) -> int:
    """Return the smallest whole number that an edge puts on its upper side."""
    return math.ceil(edge) if right_open else math.floor(edge) + 1


def _least_amount(scorer: Scorer, monetary: Decimal, edge: float) -> Decimal:
    """Return the least whole number of cents that lifts `monetary` over `edge`; 0 where it is."""
    target = edge if scorer.edges.right_open else math.nextafter(edge, math.inf)
    if float(monetary) >= target:
        return Decimal(0)
    # A float has more digits than Python's decimals keep unless told to.
    with localcontext(prec=400):
        amount = (Decimal(target) - monetary).quantize(CENT, rounding=ROUND_CEILING)
        # The float nearest to an amount may lie above it, and then one cent less is enough.
        if float(monetary + amount - CENT) >= target:
            amount -= CENT
    return max(amount, CENT)
