"""Fuzz one door for some seconds: `python -m fuzz.run csv 60`, from tests/; `make fuzz` runs them all.

What it finds is written into fuzz/findings/<door>/, where fuzz/test_findings.py tries it from then on.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rfm_backend"]):
    from fuzz.targets import DOORS, seeds

FINDINGS = Path(__file__).resolve().parent / "findings"


def main(door: str, seconds: str) -> None:
    """Change the seeds until the time is over, or something else than a refusal comes out."""
    target = DOORS[door]

    def once(content: bytes) -> None:
        try:
            target(content)
        except BaseException:
            folder = FINDINGS / door
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
            raise

    with tempfile.TemporaryDirectory(prefix="rfm-corpus-") as corpus:
        for number, seed in enumerate(seeds(door)):
            (Path(corpus) / str(number)).write_bytes(seed)
        order = [sys.argv[0], corpus, f"-max_total_time={seconds}", "-max_len=8192"]
        order += ["-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=1", "-verbosity=0"]
        order += [f"-artifact_prefix={corpus}/"]
        atheris.Setup(order, once)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
