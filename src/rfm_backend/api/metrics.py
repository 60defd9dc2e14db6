"""Figures for Prometheus: requests by route and status, how long they took, jobs by state.

In:  what the application notes of each request.
Out: `METRICS`; no label holds anything of a user's.
"""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

METRICS: Final = CollectorRegistry()
_REQUESTS: Final = Counter(
    "rfm_requests", "Requests answered.", ("method", "route", "status"), registry=METRICS
)
_SECONDS: Final = Histogram(
    "rfm_request_seconds",
    "Seconds until the answer began.",
    ("route",),
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
    registry=METRICS,
)
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_JOBS: Final = Gauge("rfm_jobs", "Jobs by state.", ("state",), registry=METRICS)


def note_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answer."""
    # A client can make up a method; each would stay as a figure of its own.
    method = method if method in _METHODS else "other"
    _REQUESTS.labels(method, route, str(status)).inc()
    _SECONDS.labels(route).observe(seconds)


def note_jobs(counts: Mapping[str, int]) -> None:
    """Note how many jobs are in each state."""
    for state in ("queued", "running", "done", "failed", "cancelled"):
        _JOBS.labels(state).set(counts.get(state, 0))
