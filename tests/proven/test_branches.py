"""Of accounts, tokens, uploads and jobs every branch is taken by a test: the long form of `make coverage`."""

import pytest
from figures import note_figure
from proven.branches import measure

pytestmark = pytest.mark.security_long


def test_every_branch_of_accounts_tokens_uploads_and_jobs_is_taken() -> None:
    taken = measure()

    note_figure(
        "branches covered in accounts, tokens, uploads, jobs",
        f"{taken.n_taken} of {taken.n_all} ({taken.n_taken / taken.n_all:.1%})",
        "100 %",
    )
    assert taken.missing == []
