"""`rfm worker`: more hands for the service, here or on other machines."""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

import click

from rfm_backend.cli.help import HelpWriter

_LOOK_SECONDS = 1.0


@click.command("worker", cls=HelpWriter, epilog="Example:  DB_HOST=db.example rfm worker")
@click.option("--parent", type=int, hidden=True, help="End with this process, which started it.")
def command(parent: int | None) -> None:
    """Run one more worker, here or on another machine.

    It needs the same database, UPLOAD_DIR and SECRET_KEY as the service.
    """
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.jobs.worker import Worker
    from rfm_backend.services import open_service
    from rfm_backend.storage.migrate import check_is_current

    service = open_service(settings)
    check_is_current(service.database)
    worker = Worker(service)

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent, worker.stop), daemon=True).start()
    try:
        worker.run()
    finally:
        service.close()


def _end_with(parent: int, stop: Callable[[], None]) -> None:
    """Stop once the service that started this worker is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    stop()
