"""Whatever the description allows, and whatever it forbids: schemathesis finds nothing to complain of."""

from pathlib import Path

import pytest
from api.shop import open_api, wipe
from doors.figures import note_figure
from doors.generated_calls import Found, chains, listening, single_calls
from rfm_testing import service_settings

from rfm_backend.api.routing import ROUTES


def run(kind: str, folder: Path, *, most: int, most_chains: int) -> tuple[Found, Found]:
    settings = service_settings(
        kind, folder, max_upload_bytes=1024**2, quota_files=1_000_000, sync_wait=20.0
    )
    try:
        with open_api(settings) as api, listening(api) as address:
            return (
                single_calls(api, address, most=most),
                chains(api, address, most=most_chains),
            )
    finally:
        wipe(settings)


def check(single: Found, chained: Found) -> None:
    assert single.complaints == {}
    assert chained.complaints == {}
    asked = {label.partition(" ")[2] for label, _ in single.answers}
    assert len({label for label, _ in single.answers}) == len(ROUTES)
    assert asked >= {"/api/upload", "/api/rfm/process/{file_id}"}
    # A chain has gone all the way: a file came in, became a result, was read, and went.
    assert 201 in chained.answered("POST /api/upload")
    assert 200 in chained.answered("POST /api/rfm/process/{file_id}")


@pytest.mark.slow
def test_calls_made_up_from_the_description_find_no_fault(tmp_path: Path) -> None:
    single, chained = run("sqlite", tmp_path, most=2, most_chains=12)

    check(single, chained)
    assert set(single.phases) == {"examples", "coverage", "fuzzing"}
    assert single.n_calls > 1_000


@pytest.mark.slow
@pytest.mark.security_long
@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_tens_of_thousands_of_calls_find_no_fault(tmp_path: Path, kind: str) -> None:
    single, chained = run(kind, tmp_path, most=600, most_chains=300)

    n_calls = single.n_calls + chained.n_calls
    n_faults = len(single.complaints) + len(chained.complaints)
    note_figure(f"schemathesis on {kind}: faults", f"{n_faults} in {n_calls:,} calls", "0")
    check(single, chained)
    assert n_calls > 20_000
    read = ("GET /api/rfm/results/{file_id}", "GET /api/analyses/{analysis_id}")
    assert all(200 in chained.answered(label) for label in read)
    assert 200 in chained.answered("DELETE /api/uploads/{upload_id}")
