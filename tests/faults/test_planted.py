"""The list of faults stays true: each can still be planted, and every stage has one."""

import pytest
from faults.plant import PACKAGE
from faults.planted import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.module}: {fault.wrong:.30}")
def test_a_fault_can_be_planted_in_one_place(fault: Fault) -> None:
    text = (PACKAGE / fault.module).read_text("utf-8")

    assert text.count(fault.right) == 1
    assert fault.wrong not in text


def test_every_stage_has_a_fault() -> None:
    stages = {"reading/lines", "pipeline/lines", "pipeline/mapping/numbers"} | {
        f"pipeline/{stage}"
        for stage in ("aggregate", "score", "segment", "features", "cluster", "profile", "findings")
    }

    assert stages <= {fault.module.removesuffix(".py") for fault in FAULTS}
