"""Every error that this package raises on purpose, as one tree.

    RfmError
    ├── InvalidOption          an option, or two of them together, cannot be used
    │   ├── InvalidRuleTable   a segment or threshold table has gaps, overlaps or a wrong form
    │   ├── OutputExists       a result file stands there already and may not be replaced
    │   ├── TooManyRows        the form of file that was asked for cannot hold so many rows
    │   └── MissingExtra       what was asked needs a package that is not installed
    ├── UnusableInput          the input cannot be used as it stands
    │   ├── FileNotFound       there is no such file
    │   ├── UnreadableFile     not a table, damaged, or in another format than it claims
    │   ├── UnsafeFile         refused before it was opened: it would unpack or spread too far
    │   ├── FileTooComplex     reading it went over the limits on memory or time
    │   ├── MissingColumns     no column for a role that is needed
    │   ├── AmbiguousColumns   two columns compete for a role
    │   ├── AmbiguousNumbers   "10.000" may be ten or ten thousand
    │   ├── AmbiguousDates     "03/04/2024" may be March or April
    │   ├── SeveralCurrencies  money of several currencies is never added
    │   ├── NoUsableRows       no row is left after cleaning
    │   ├── InvalidModel       a model or result file that this version cannot apply
    │   └── UnknownCustomer    the customer is not in the result
    ├── OutputFailed           a result could not be written
    ├── Cancelled              the caller asked to stop
    └── ServiceError           the service cannot answer a request as it was made
        ├── InvalidRequest     the request has another form than the documented one
        ├── NotAuthenticated   no token, or one that is not valid any more
        ├── WrongPassword      the password given to confirm a change is not the account's
        ├── TooManyAttempts    passwords were tried, or accounts made, too often
        ├── NotAllowed         the account or the setting does not permit it
        │   ├── LoginNeeded    a named token asks for what is the account's own matter
        │   └── ReadOnlyToken  a named token for reading alone asks for a change
        ├── NotFound           there is no such thing among the user's own
        ├── AlreadyTaken       a name that must be unique is in use
        ├── NotProcessed       the upload has no finished analysis yet
        ├── AnalysisFailed     the upload could not be turned into segments
        ├── TooLarge           a body or an upload above the limit
        ├── OverQuota          the user's space is used up, or the disk's
        └── Unavailable        the database cannot be reached now

An error carries words for a person (what is wrong, where, what to do), a stable ``code`` for
programs and ``details`` for a screen. It knows neither HTTP nor exit codes: each door has one table.
"""

from collections.abc import Mapping
from typing import ClassVar

from rfm_backend.advice import for_the_api, for_the_terminal


class RfmError(Exception):
    """An expected failure, with words for a person and a code for a program.

    Parameters
    ----------
    message : str
        One or more sentences: what is wrong, where, what to do.
    **details
        Values for a screen or a program: file, line, column, candidates.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **details: object) -> None:
        # As it was written: each door says the options in it by their names there.
        self.written = message
        self.message = for_the_terminal(message)
        super().__init__(self.message)
        self.details: Mapping[str, object] = details

    def __str__(self) -> str:
        return self.message

    @property
    def api_message(self) -> str:
        """The message with its options as fields of a request."""
        return for_the_api(self.written)


class InvalidOption(RfmError):
    """An option, or two of them together, cannot be used."""

    code = "invalid_option"


class InvalidRuleTable(InvalidOption):
    """A segment or threshold table has gaps, overlaps or a wrong form."""

    code = "invalid_rule_table"


class OutputExists(InvalidOption):
    """A result file stands there already and may not be replaced."""

    code = "output_exists"


class TooManyRows(InvalidOption):
    """The form of file that was asked for cannot hold so many rows."""

    code = "too_many_rows"


class MissingExtra(InvalidOption):
    """What was asked needs a package that is not installed."""

    code = "missing_extra"


class UnusableInput(RfmError):
    """The input cannot be used as it stands."""

    code = "unusable_input"


class FileNotFound(UnusableInput):
    """There is no such file."""

    code = "file_not_found"


class UnreadableFile(UnusableInput):
    """Not a table, damaged, or in another format than it claims."""

    code = "unreadable_file"


class UnsafeFile(UnusableInput):
    """Refused before it was opened: it would unpack or spread too far."""

    code = "unsafe_file"


class FileTooComplex(UnusableInput):
    """Reading it went over the limits on memory or time."""

    code = "file_too_complex"


class MissingColumns(UnusableInput):
    """No column for a role that is needed."""

    code = "missing_columns"


class AmbiguousColumns(UnusableInput):
    """Two columns compete for a role."""

    code = "ambiguous_columns"


class AmbiguousNumbers(UnusableInput):
    """Every number of a column fits both decimal marks, and nothing decides."""

    code = "ambiguous_numbers"


class AmbiguousDates(UnusableInput):
    """Every date of a column fits both day-first and month-first, and nothing decides."""

    code = "ambiguous_dates"


class SeveralCurrencies(UnusableInput):
    """Money of several currencies is never added."""

    code = "several_currencies"


class NoUsableRows(UnusableInput):
    """No row is left after cleaning."""

    code = "no_usable_rows"


class InvalidModel(UnusableInput):
    """A model or result file that this version cannot apply."""

    code = "invalid_model"


class UnknownCustomer(UnusableInput):
    """The customer is not in the result."""

    code = "unknown_customer"


class OutputFailed(RfmError):
    """A result could not be written."""

    code = "output_failed"


class Cancelled(RfmError):
    """The caller asked to stop."""

    code = "cancelled"


class ServiceError(RfmError):
    """The service cannot answer a request as it was made."""

    code = "service_error"


class InvalidRequest(ServiceError):
    """The request has another form than the documented one."""

    code = "invalid_request"


class NotAuthenticated(ServiceError):
    """No token, or one that is not valid any more."""

    code = "not_authenticated"


class WrongPassword(ServiceError):
    """The password given to confirm a change is not the account's."""

    code = "wrong_password"


class TooManyAttempts(ServiceError):
    """Passwords were tried, or accounts made, too often; ``retry_after`` is when to come back, in seconds."""

    code = "too_many_attempts"


class NotAllowed(ServiceError):
    """The account or the setting does not permit it."""

    code = "not_allowed"


class LoginNeeded(NotAllowed):
    """A named token asks for what is the account's own matter: log in, and use that token."""

    code = "login_needed"


class ReadOnlyToken(NotAllowed):
    """A named token for reading alone asks for a change."""

    code = "read_only_token"


class NotFound(ServiceError):
    """There is no such thing among the user's own; that of somebody else is no different."""

    code = "not_found"


class AlreadyTaken(ServiceError):
    """A name that must be unique is in use."""

    code = "already_taken"


class NotProcessed(ServiceError):
    """The upload has no finished analysis yet."""

    code = "not_processed"


class AnalysisFailed(ServiceError):
    """The upload could not be turned into segments; ``reason`` is the code of what was wrong with it."""

    code = "analysis_failed"


class TooLarge(ServiceError):
    """A body or an upload above the limit."""

    code = "too_large"


class OverQuota(ServiceError):
    """The user's space is used up, or the disk's."""

    code = "over_quota"


class Unavailable(ServiceError):
    """The database cannot be reached now."""

    code = "unavailable"
