"""The one table from errors to HTTP statuses, for the API's answers and the dashboard's pages."""

from typing import Final

from rfm_backend import errors
from rfm_backend.errors import RfmError

# The first class that fits decides.
STATUS: Final[tuple[tuple[type[RfmError], int], ...]] = (
    (errors.NotAuthenticated, 401),
    (errors.WrongPassword, 403),
    (errors.NotAllowed, 403),
    (errors.NotFound, 404),
    (errors.UnknownCustomer, 404),
    (errors.AlreadyTaken, 409),
    (errors.NotProcessed, 409),
    (errors.TooManyAttempts, 429),
    (errors.TooLarge, 413),
    (errors.AnalysisFailed, 422),
    (errors.OverQuota, 507),
    (errors.Unavailable, 503),
    (errors.InvalidRequest, 400),
    (errors.InvalidOption, 422),
    (errors.UnusableInput, 422),
)


def status_of(error: RfmError) -> int:
    """Return the status that tells of an error; 500 for one that no client causes."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)
