"""`rfm worker`: more hands for the service, here or on other machines."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import click

from rfm_backend.cli.help import HelpWriter


@click.command("worker", cls=HelpWriter, epilog="Example:  DB_HOST=db.example rfm worker")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input does.")
def command(*, with_parent: bool) -> None:
    """Run one more worker, here or on another machine.

    It needs the same database, UPLOAD_DIR and SECRET_KEY as the service.
    """
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.jobs.worker import Worker
    from rfm_backend.services import open_service
    from rfm_backend.storage.database import WORK
    from rfm_backend.storage.migrate import check_is_current

    service = open_service(settings, patience=WORK)
    check_is_current(service.database)
    worker = Worker(service)
    worker.warm()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if with_parent:
        _let_others_first()
        threading.Thread(target=_end_with_parent, args=(worker.stop,), daemon=True).start()
    try:
        worker.run()
    finally:
        service.close()
    if with_parent:
        # The thread that waits for the pipe would be cut off in the middle, which DuckDB's bindings
        # take for a fault of theirs and tell at length.
        logging.shutdown()
        os._exit(0)


def _let_others_first() -> None:
    """Leave the processor to the service beside this worker while somebody waits for an answer."""
    if sys.platform != "win32":
        os.nice(10)


def _end_with_parent(stop: Callable[[], None]) -> None:
    """Stop once the service that started this worker is gone, however it went: its pipe ends."""
    # Not sys.stdin: its lock, held by a thread at the interpreter's end, is a fatal error.
    while os.read(0, 1):
        pass
    stop()
