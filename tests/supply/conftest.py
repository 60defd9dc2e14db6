"""An advisory service on this machine, which speaks as much of OSV as the audit asks for."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest


class _Advisories(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer a question about one package: what the path names is wrong with flask."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.path.strip("/").split("/")[0]
        is_weak = known != "none" and asked["package"]["name"] == "flask"
        vulns = [{"id": known, "summary": "made up", "affected": []}] if is_weak else []
        answer = json.dumps({"vulns": vulns} if vulns else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its own name
        """Say nothing."""


@pytest.fixture(scope="module")
def advisories() -> Iterator[str]:
    """The address of the service."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Advisories) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
