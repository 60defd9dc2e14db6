"""How a command ends: one table of exit codes, and words for every failure.

    0    done
    1    it could not be finished: a result could not be written, or a fault of ours
    2    wrong usage: an option, or two of them together, cannot be used
    3    the input cannot be used as it stands
    130  stopped by Ctrl-C

What always holds: a failure is told on standard error, in words, without a trace; a reader that
hangs up (`| head`) is no failure.

What this module does not do: an unexpected exception is not caught, it reaches the hook that
Python calls last (and `RFM_DEBUG=1` leaves that to Python, which prints the trace).
"""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Final, NoReturn

import click

from rfm_backend.errors import (
    Cancelled,
    InvalidOption,
    OutputFailed,
    RfmError,
    ServiceError,
    Unavailable,
    UnusableInput,
)

DONE: Final = 0
FAULT: Final = 1
WRONG_USAGE: Final = 2
UNUSABLE_INPUT: Final = 3
STOPPED: Final = 130

# The first class that fits decides.
EXIT_CODES: Final[tuple[tuple[type[BaseException], int], ...]] = (
    (InvalidOption, WRONG_USAGE),
    (click.UsageError, WRONG_USAGE),
    (UnusableInput, UNUSABLE_INPUT),
    (OutputFailed, FAULT),
    (Unavailable, FAULT),
    (ServiceError, WRONG_USAGE),
    (Cancelled, STOPPED),
    (click.Abort, STOPPED),
)


class Guarded(click.Group):
    """A group whose `main` ends every way a command can end with its code and its words."""

    def main(  # type: ignore[override]  # click overloads it by standalone_mode; here it always leaves
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: object,
    ) -> NoReturn:
        """Run the command line and leave the process."""
        del extra
        sys.exit(self._run(args, prog_name))

    def _run(self, args: Sequence[str] | None, prog_name: str | None) -> int:
        try:
            code = super().main(args=args, prog_name=prog_name, standalone_mode=False)
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_output()
            return DONE
        except (click.Abort, Cancelled):
            click.echo("Stopped. What was not finished was not written.", err=True)
            return STOPPED
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True, color=_colour())
            return WRONG_USAGE
        except click.UsageError as error:
            _tell_usage(error)
            return WRONG_USAGE
        except RfmError as error:
            _tell(str(error))
            return exit_code(error)
        return code if isinstance(code, int) else DONE


def set_last_words() -> None:
    """Make this process end in words too where nothing catches: a fault of ours, or a polite kill."""
    sys.excepthook = tell_fault
    signal.signal(signal.SIGTERM, _stop)


def exit_code(error: BaseException) -> int:
    """Return the exit code of a failure."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), FAULT)


def tell_fault(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Tell an unexpected exception in a sentence; with RFM_DEBUG=1, as Python does."""
    from rfm_backend.settings import wants_traces

    if wants_traces():
        sys.__excepthook__(kind, error, trace)
        return
    _tell(
        f"This is a fault of rfm, not of your file: {kind.__name__}: {error}. "
        "Set RFM_DEBUG=1 and run it again to see where, and please report it."
    )


def _tell(message: str) -> None:
    """Print what is wrong, then where and what to do, apart from each other by colour only."""
    what, mark, more = message.partition(". ")
    text = click.style("Error: ", fg="red", bold=True) + click.style(
        what + mark.rstrip(), bold=True
    )
    click.echo(f"{text} {more}".rstrip(), err=True, color=_colour())


def _tell_usage(error: click.UsageError) -> None:
    _tell(error.format_message())
    if error.ctx is not None:
        hint = f"Try:  {error.ctx.command_path} --help"
        click.echo(click.style(hint, dim=True), err=True, color=_colour())


def _colour() -> bool | None:
    """Return False where colours are not wanted, None to leave it to what the output is."""
    from rfm_backend.settings import wants_no_colour

    return False if wants_no_colour() else None


def _forget_output() -> None:
    """Point standard output at nothing, so that Python's last flush does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """Treat a polite kill as Ctrl-C: temporary files go, nothing half-written stays."""
    raise Cancelled("Stopped by a signal.")
