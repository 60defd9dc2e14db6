"""How long a silent worker keeps its job: longer than a hiccup, short enough not to be waited for."""

import datetime as dt
from typing import Final

LEASE: Final = dt.timedelta(seconds=20)
# A cancelled job ends at its next heartbeat: in two seconds with what ending takes.
HEARTBEAT_SECONDS: Final = 1.0
