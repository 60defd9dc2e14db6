"""`rfm serve`: the dashboard and the HTTP API, and a worker beside them.

In:  settings.
Out: a server that runs until it is told to stop: requests under way are finished, jobs handed back.
"""

import gc
import signal
import subprocess
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

import click

from rfm_backend.cli.help import HelpWriter

if TYPE_CHECKING:
    from rfm_backend.services import Service

# For the worker, and for the requests under way, at the same time.
_STOP_SECONDS = 8
# Loading what children need takes a second of a core, which the start itself needs more.
_WARM_SECONDS = 5


@click.command("serve", cls=HelpWriter, epilog="Example:  FLASK_ENV=development rfm serve")
@click.option("--host", help="Address to listen on; default: HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default: PORT.")
@click.option("--no-worker", is_flag=True, help="Serve only: workers run elsewhere.")
@click.option(
    "--silent-seconds",
    type=click.FloatRange(min=1),
    hidden=True,
    help="Seconds without progress after which a client is cut: shorter in tests.",
)
def command(
    host: str | None, port: int | None, *, no_worker: bool, silent_seconds: float | None
) -> None:
    """Run the service: the dashboard, the HTTP API and a worker.

    With the embedded database its tables are made by themselves; for MySQL run `python migrate.py` first.
    """
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.app import create_app
    from rfm_backend.child import missing_limits
    from rfm_backend.services import open_service
    from rfm_backend.storage.migrate import check_is_current, migrate

    if not settings.db_host:
        migrate(settings)
    service = open_service(settings)
    check_is_current(service.database)
    for lack in missing_limits():
        click.echo(f"Note: {lack}", err=True)
    app = create_app(service)
    warming = threading.Timer(_WARM_SECONDS, service.warm)
    warming.daemon = True
    warming.start()
    keeper = threading.Thread(target=_keep_worker, args=(service.stopping,), daemon=True)
    if not no_worker:
        keeper.start()
    _end_when_told(service.stopping)
    place = (host or settings.host, settings.port if port is None else port)
    try:
        _listen(app, service, place, silent_seconds)
    finally:
        service.stopping.set()
        warming.cancel()
        # Whoever started this process may kill all that is left once it has ended.
        if not no_worker:
            keeper.join(_STOP_SECONDS + 1)
        service.close()


def _end_when_told(stopping: threading.Event) -> None:
    """Have requests finish and the job handed back at the first SIGTERM or Ctrl-C; leave at the second."""

    def leave(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stopping.is_set():
            raise SystemExit(0)
        stopping.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _listen(
    app: object, service: "Service", place: tuple[str, int], silent_seconds: float | None
) -> None:
    from rfm_backend.app import headers_of
    from rfm_backend.cli.listener import SILENT_SECONDS, make_server
    from rfm_backend.errors import OutputFailed

    host, port = place
    settings = service.settings
    try:
        server = make_server(
            app,
            stopping=service.stopping,
            stop_seconds=_STOP_SECONDS - 1,
            host=host,
            port=port,
            headers=headers_of(settings),
            most_body=settings.max_upload_bytes + 2 * 1024**2,
            silent_seconds=silent_seconds or SILENT_SECONDS,
            trusted_proxy=settings.trusted_proxy,
        )
    except OSError as error:
        raise OutputFailed(
            f"{host}:{port} cannot be listened on: {error.strerror}. Give another --port."
        ) from error
    shown = f"http://{host}:{server.effective_port}"
    click.echo(f"RFM Backend listens on {shown}  (its API: {shown}/docs; Ctrl-C ends it)", err=True)
    _pass_over_what_stays()
    server.run()


def _pass_over_what_stays() -> None:
    """Have the garbage collector look no more at what the start has loaded, none of which ever goes.

    Every half a minute or so it would take a tenth of a second for that, in which nobody is answered, and
    those that wait by then hold each other up for longer.
    """
    gc.collect()
    gc.freeze()


def _keep_worker(ended: threading.Event) -> None:
    """Run a worker in a process of its own, and another one where it dies."""
    while not ended.is_set():
        order = [sys.executable, "-m", "rfm_backend", "worker", "--with-parent"]
        # The worker ends when this pipe does, so however this process ends: on Windows too, where
        # there is no polite signal and a virtual environment puts a process between the two.
        with subprocess.Popen(order, stdin=subprocess.PIPE) as worker:  # noqa: S603  # ourselves
            while worker.poll() is None and not ended.wait(0.2):
                pass
            assert worker.stdin is not None
            worker.stdin.close()
            try:
                worker.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
        ended.wait(1.0)
