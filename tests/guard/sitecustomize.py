"""Python runs this at the start of every process that the tests begin: see egress.py."""

import os
import sys
from pathlib import Path

if notes := os.environ.get("RFM_TEST_EGRESS"):
    tests = str(Path(__file__).resolve().parent.parent)
    sys.path.append(tests)
    import egress

    sys.path.remove(tests)
    egress.guard(Path(notes))
