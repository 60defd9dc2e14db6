"""Jobs: how far each is, by asking every second; what became of it; the way to stop it.

A page that asks is sturdier here than one that holds a stream open: a proxy, a laptop that sleeps and a
server that starts anew need nothing done, and no thread of the server waits.
"""

from typing import Final

from flask import Response

from rfm_backend.catalogue import Words
from rfm_backend.services import analyses, following
from rfm_backend.services.following import Followed
from rfm_backend.web.onward import address_of_result, go_on
from rfm_backend.web.routing import Screen, Visit, page

# What a person can mend by saying otherwise what the columns are.
_MENDED_BY_COLUMNS: Final = (
    "missing_columns",
    "ambiguous_columns",
    "ambiguous_numbers",
    "ambiguous_dates",
    "several_currencies",
    "no_usable_rows",
    "invalid_option",
)
_FULL_MINUTE: Final = 60


@page("/jobs")
def show_jobs(visit: Visit) -> Screen:
    """List the analyses that are under way or ended a moment ago."""
    found = following.lately(visit.service, visit.user.id)
    template = "jobs_part.html" if visit.is_part else "jobs.html"
    return Screen(
        template=template,
        values={"jobs": found, "time_left": time_left, "result_of": address_of_result},
    )


@page("/jobs/<int:job_id>")
def show_job(visit: Visit) -> Screen | Response:
    """Show how far an analysis is, and lead on to its result."""
    found = following.follow(visit.service, visit.user.id, visit.path["job_id"])
    if found.job.state == "done" and found.job.analysis_id is not None:
        return go_on(visit, address_of_result(found.job.analysis_id))
    if visit.is_part and not found.is_active:
        # The page itself says what became of it, from its title on.
        return Response(status=200, headers={"HX-Refresh": "true"})
    template = "job_part.html" if visit.is_part else "job.html"
    return Screen(
        template=template,
        values={
            "followed": found,
            "time_left": time_left,
            "why": _why(found, visit.words),
            "is_mended_by_columns": found.job.error_code in _MENDED_BY_COLUMNS,
        },
    )


@page("/jobs/<int:job_id>/cancel", method="POST")
def cancel_job(visit: Visit) -> Response:
    """Stop an analysis; one that has ended stays as it is."""
    analyses.cancel(visit.service, visit.user.id, visit.path["job_id"])
    return go_on(visit, f"/jobs/{visit.path['job_id']}")


def time_left(followed: Followed, words: Words) -> str:
    """Return how long it may still take, as a person would say it; "" where nobody can know."""
    seconds = followed.seconds_left
    if seconds is None:
        return ""
    if seconds < _FULL_MINUTE:
        # To the next five seconds: a number that changes at each look says more than it knows.
        return words("jobs.left_seconds", n=words.number(max(5, 5 * round(seconds / 5))))
    return words("jobs.left_minutes", n=words.number(round(seconds / _FULL_MINUTE)))


def _why(followed: Followed, words: Words) -> str:
    key = f"problems.{followed.job.error_code}"
    return words(key) if key in words else followed.job.error_message or ""
