"""What a deployment installs is pinned by hash, listed, and audited by something that fails closed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = (REPOSITORY / "requirements.lock").read_text("utf-8")
PINNED = re.findall(r"(?m)^([a-z0-9.-]+)==([^ ;\\]+)", LOCK)


def test_every_package_of_the_lock_has_hashes() -> None:
    entries = re.split(r"(?m)^(?=[a-z0-9])", LOCK)[1:]

    assert len(entries) == len(PINNED) > 30
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_holds_the_versions_that_are_tested() -> None:
    tested = (REPOSITORY / "constraints.txt").read_text("utf-8")

    # hatchling and what it needs build the package and are no part of it.
    other = [
        name
        for name, version in PINNED
        if not re.search(rf"(?m)^{re.escape(name)}=={re.escape(version)}(?= |$)", tested)
    ]
    assert set(other) <= {"hatchling", "tomlkit", "trove-classifiers"}
    direct = {"flask", "sqlalchemy", "pymysql", "bcrypt", "pyjwt", "duckdb", "waitress"}
    assert direct <= {name for name, _ in PINNED}


def test_an_audit_without_an_answer_fails() -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "supply" / "audit.py", "--service", "http://127.0.0.1:9/"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "nothing is known of them: the audit FAILS" in done.stderr


@pytest.mark.parametrize(
    ("vulnerabilities", "code", "words"),
    [
        ([], 0, "none has a known weakness"),
        (["GHSA-xxxx-yyyy-zzzz"], 1, "flask: GHSA-xxxx-yyyy-zzzz"),
    ],
)
def test_an_audit_tells_what_a_service_on_this_machine_knows(
    vulnerabilities: list[str], code: int, words: str, advisories: str
) -> None:
    done = subprocess.run(
        [
            sys.executable, REPOSITORY / "supply" / "audit.py",
            "--service", f"{advisories}{','.join(vulnerabilities) or 'none'}/",
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (code, "")
    assert words in done.stdout


def test_the_bill_of_materials_lists_what_is_locked(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    program = Path(sys.executable).with_name("cyclonedx-py")

    subprocess.run(
        [program, "requirements", REPOSITORY / "requirements.lock", "--no-validate", "-o", target],
        check=True,
        capture_output=True,
    )

    told = json.loads(target.read_text("utf-8"))
    assert told["bomFormat"] == "CycloneDX"
    listed = {(one["name"], one["version"]) for one in told["components"]}
    assert listed == set(PINNED)
