"""`rfm serve`: the dashboard and the HTTP API, and a worker beside them.

In:  settings.
Out: a server that runs until it is told to stop: requests under way are finished, jobs handed back.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import click

from rfm_backend.cli.help import HelpWriter

if TYPE_CHECKING:
    from rfm_backend.settings import ServiceSettings

# A thread costs little, and one waits with each process call that is not done yet.
_THREADS = 64
_MOST_CONNECTIONS = 2_000
_SILENT_SECONDS = 30
_STOP_SECONDS = 8


@click.command("serve", cls=HelpWriter, epilog="Example:  FLASK_ENV=development rfm serve")
@click.option("--host", help="Address to listen on; default: HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; default: PORT.")
@click.option("--no-worker", is_flag=True, help="Serve only: workers run elsewhere.")
def command(host: str | None, port: int | None, *, no_worker: bool) -> None:
    """Run the service: the dashboard, the HTTP API and a worker.

    With the embedded database its tables are made by themselves; for MySQL run `python migrate.py` first.
    """
    from rfm_backend.cli.service import ready_settings

    settings = ready_settings()

    from rfm_backend.app import create_app
    from rfm_backend.services import open_service
    from rfm_backend.storage.migrate import check_is_current, migrate

    if not settings.db_host:
        migrate(settings)
    service = open_service(settings)
    check_is_current(service.database)
    app = create_app(service)
    ended = threading.Event()
    if not no_worker:
        threading.Thread(target=_keep_worker, args=(ended,), daemon=True).start()
    signal.signal(signal.SIGTERM, _leave)
    try:
        _listen(app, settings, host or settings.host, settings.port if port is None else port)
    finally:
        ended.set()
        service.close()


def _listen(app: object, settings: "ServiceSettings", host: str, port: int) -> None:
    from waitress.server import create_server

    from rfm_backend.errors import OutputFailed

    try:
        server: Any = create_server(
            cast("Any", app),
            host=host,
            port=port,
            threads=_THREADS,
            connection_limit=_MOST_CONNECTIONS,
            asyncore_use_poll=True,
            channel_timeout=_SILENT_SECONDS,
            max_request_body_size=settings.max_upload_bytes + 2 * 1024**2,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
    except OSError as error:
        raise OutputFailed(
            f"{host}:{port} cannot be listened on: {error.strerror}. Give another --port."
        ) from error
    shown = f"http://{host}:{server.effective_port}"
    click.echo(f"RFM Backend listens on {shown}  (its API: {shown}/docs; Ctrl-C ends it)", err=True)
    server.run()


def _keep_worker(ended: threading.Event) -> None:
    """Run a worker in a process of its own, and another one where it dies."""
    while not ended.is_set():
        order = [sys.executable, "-m", "rfm_backend", "worker", "--parent", str(os.getpid())]
        with subprocess.Popen(order) as worker:  # noqa: S603  # our own interpreter
            while worker.poll() is None and not ended.wait(0.2):
                pass
            if worker.poll() is None:
                worker.terminate()
                try:
                    worker.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    worker.kill()
        ended.wait(1.0)


def _leave(number: int, frame: FrameType | None) -> None:
    """Leave as Ctrl-C does: the server then finishes what is under way."""
    del number, frame
    raise SystemExit(0)
