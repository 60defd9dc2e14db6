"""Whatever the description allows, and whatever it forbids: schemathesis finds nothing to complain of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from api.shop import Api, open_api, wipe
from doors.generated_calls import Found, chains, listening, single_calls
from figures import note_figure
from rfm_testing import service_settings

from rfm_backend.api.routing import ROUTES


@contextmanager
def service(kind: str, folder: Path) -> Iterator[tuple[Api, str]]:
    settings = service_settings(
        kind, folder, max_upload_bytes=1024**2, quota_files=1_000_000, sync_wait=20.0
    )
    try:
        with open_api(settings) as api, listening(api) as address:
            yield api, address
    finally:
        wipe(settings)


def check_single(found: Found) -> None:
    assert found.complaints == {}
    assert len({label for label, _ in found.answers}) == len(ROUTES)
    assert set(found.phases) == {"examples", "coverage", "fuzzing"}


def check_chains(found: Found) -> None:
    assert found.complaints == {}
    # A file came in and became a result.
    assert 201 in found.answered("POST /api/upload")
    assert 200 in found.answered("POST /api/rfm/process/{file_id}")


@pytest.mark.slow
def test_calls_made_up_from_the_description_find_no_fault(tmp_path: Path) -> None:
    with service("sqlite", tmp_path) as (api, address):
        found = single_calls(api, address, most=2)

    check_single(found)
    assert found.n_calls > 1_000


@pytest.mark.slow
def test_chains_of_calls_find_no_fault(tmp_path: Path) -> None:
    with service("sqlite", tmp_path) as (api, address):
        found = chains(api, address, most=5)

    check_chains(found)


@pytest.mark.slow
@pytest.mark.security_long
@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_tens_of_thousands_of_calls_find_no_fault(tmp_path: Path, kind: str) -> None:
    with service(kind, tmp_path) as (api, address):
        single = single_calls(api, address, most=600)
        chained = chains(api, address, most=100)

    n_calls = single.n_calls + chained.n_calls
    n_faults = len(single.complaints) + len(chained.complaints)
    note_figure(f"schemathesis on {kind}: faults", f"{n_faults} in {n_calls:,} calls", "0")
    check_single(single)
    check_chains(chained)
    assert n_calls > 20_000
    read = ("GET /api/rfm/results/{file_id}", "GET /api/analyses/{analysis_id}")
    assert all(200 in chained.answered(label) for label in read)
    assert 200 in chained.answered("DELETE /api/uploads/{upload_id}")
