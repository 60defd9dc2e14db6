"""Web, worker and database killed under eight clients: nothing acknowledged is lost, nothing is there twice or half."""

from pathlib import Path

import pytest
from faults.kills.run import run

pytestmark = pytest.mark.slow

_READY_SECONDS = 5
# On a machine that others use meanwhile; the goal itself is the long form's to measure.
_BEARABLE = 6


@pytest.mark.parametrize(("kind", "n_kills"), [("sqlite", 10), ("mysql", 20)])
def test_nothing_acknowledged_is_lost_to_kills(tmp_path: Path, kind: str, n_kills: int) -> None:
    told = run(kind, tmp_path, n_kills=n_kills, seed=20_261_127, least=3)

    assert told.broken == ()
    assert told.n_kills >= n_kills
    assert told.n_acknowledged > 50
    assert told.slowest_ready < _READY_SECONDS * _BEARABLE
