"""`rfm worker`: more hands for the service, here or on other machines."""

import signal
from types import FrameType

import click

from rfm_backend.cli.help import HelpWriter


@click.command("worker", cls=HelpWriter, epilog="Example:  DB_HOST=db.example rfm worker")
def command() -> None:
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
    try:
        worker.run()
    finally:
        service.close()
