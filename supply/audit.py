"""Asks the advisory service about every package of requirements.lock.

Out: exit code 0 where each was asked about and none has a known weakness, 1 where one has, 2 where
     the service did not answer for all of them.

What always holds: silence is no pass.  Without an answer for each package the audit fails, and says so.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

LOCK: Final = Path(__file__).resolve().parent.parent / "requirements.lock"
_PINNED: Final = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([^\\\n]*)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit, tell the outcome, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", help="Address of another OSV service.")
    wanted = parser.parse_args(arguments)
    where = ["--osv-url", wanted.service] if wanted.service else []
    program = Path(sys.executable).with_name("pip-audit")
    done = subprocess.run(  # noqa: S603  # our own environment, no shell
        [
            program, "--strict", "--disable-pip", "--require-hashes", "--format", "json",
            "--progress-spinner", "off", "--vulnerability-service", "osv", *where, "-r", LOCK,
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    answered = _answered(done.stdout)
    missing = sorted(_pinned(LOCK.read_text("utf-8")) - set(answered))
    weak = {name: found for name, found in answered.items() if found}
    for name, found in sorted(weak.items()):
        print(f"{name}: {', '.join(one['id'] for one in found)}")
    if weak:
        return 1
    if done.returncode != 0 or missing:
        print(
            "The advisory service did not answer for every package, so nothing is known of them: "
            f"the audit FAILS.\n{(done.stderr.strip().splitlines() or ['No reason was given.'])[-1]}",
            file=sys.stderr,
        )
        return 2
    print(f"{len(answered)} packages were asked about; none has a known weakness.")
    return 0


def _answered(text: str) -> Mapping[str, list[dict[str, Any]]]:
    """Return what was found for each package that the service was asked about."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return {_plain(one["name"]): one["vulns"] for one in told["dependencies"] if "vulns" in one}


def _pinned(text: str) -> set[str]:
    """Return the names in the lock that are not for Windows alone."""
    found = _PINNED.findall(text)
    return {_plain(name) for name, marker in found if "sys_platform == 'win32'" not in marker}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
