"""Requests as nobody's library writes them, sent as they are to the real server."""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors.real_server import RealServer, health_watched, read_all, served
from figures import note_figure

SALES = b"customer_id,invoice_id,invoice_date,amount\nc1,A1,2024-01-01,10\nc2,A2,2024-01-02,11\n"
FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"
JSON = b"Content-Type: application/json\r\n"
MOST = 32 * 1024**2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    folder = tmp_path_factory.mktemp("raw")
    with served(folder, "--no-worker", RFM_MAX_UPLOAD_BYTES=str(MOST)) as server:
        yield server
        assert "Traceback" not in server.log


def head(server: RealServer, line: bytes, *extra: bytes) -> bytes:
    who = b"Authorization: Bearer " + server.token.encode() + b"\r\n"
    return line + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + who + b"".join(extra)


def post(server: RealServer, path: bytes, body: bytes, *extra: bytes) -> tuple[int, str]:
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return answer(server.raw(head(server, b"POST " + path, *extra, length) + body))


def answer(got: bytes) -> tuple[int, str]:
    """Return status and code; every refusal is a problem with the headers of safety."""
    top, _, body = got.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", top)
    assert found, got[:200]
    status = int(found[1])
    if status < 400:
        return status, ""
    assert b"application/problem+json" in top
    assert b"X-Content-Type-Options: nosniff" in top
    assert b"Traceback" not in body
    told = json.loads(body)
    assert told["status"] == status
    assert re.search(rb"X-Request-Id: " + told["request_id"].encode(), top)
    return status, told["code"]


def part(
    name: bytes = b'name="file"; filename="a.csv"', body: bytes = SALES, more: bytes = b""
) -> bytes:
    top = b"--x\r\nContent-Disposition: form-data; " + name + b"\r\n" + more
    return top + b"\r\n" + body + b"\r\n"


END = b"--x--\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"name":' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
        b'{"name":NaN}',
        b'{"name":1e999}',
        b'{"name":' + b"9" * 5_000 + b"}",
        b'{"name":"a","name":"b"}',
        b'{"name":"\\ud800"}',
        b'{"name":"\\u0000"}',
        b'{"name":"\\u001b[31mred\\r\\nline"}',
        b'{"name":"\xe9"}',
        b'\xef\xbb\xbf{"name":"a"}',
        '{"name":"a"}'.encode("utf-16"),
        '{"name":"a"}'.encode("utf-16-le"),
        b'{"name":"a"} x',
        b"[]",
        b'"a"',
        b"",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_json_that_is_none_is_refused(server: RealServer, body: bytes) -> None:
    assert post(server, b"/api/shops", body, JSON) == (400, "invalid_request")


def test_json_that_is_too_large_is_refused(server: RealServer) -> None:
    for size in (1_100_000, 2_200_000, 20_000_000):
        body = b'{"name":"' + b"x" * size + b'"}'
        assert post(server, b"/api/shops", body, JSON) == (413, "too_large")


@pytest.mark.parametrize(
    "query",
    [
        "limit=1e3", "limit=-1", "limit=0", "limit=1001", "limit=", "limit=%D9%A1", "limit=1_0",
        "limit=+1", "limit=1.0", "limit=%ff", "limit=1&limit=1", "limit[]=1", "x=1", "cursor=x",
        "cursor=%00", "cursor=W251bGxd", "cursor=W1RydWVd", "cursor=WzFlOTldCg", "cursor=" + "A" * 9_000,
        "shop_id=9223372036854775808", "shop_id=1" + "0" * 5_000,
    ],
    ids=lambda query: query[:24],
)  # fmt: skip
def test_a_query_that_is_none_is_refused(server: RealServer, query: str) -> None:
    got = server.raw(head(server, b"GET /api/uploads?" + query.encode(), b"\r\n"))
    assert answer(got) == (400, "invalid_request")


@pytest.mark.parametrize(
    "path",
    [
        b"/api/uploads/9223372036854775808", b"/api/uploads/-1", b"/api/uploads/1e3",
        b"/api/uploads/" + b"9" * 6_000, b"/api/uploads/1%00", b"/api/uploads/1%20", b"/api//uploads",
        b"/../etc/passwd", b"/docs/..%2f..%2fetc/passwd", b"//evil.example/", b"*",
        b"/api/rfm/customers/1/%00%0d%0aX", b"/api/rfm/customers/1/%ff",
    ],
    ids=lambda path: repr(path[:32]),
)  # fmt: skip
def test_an_address_that_is_none_is_not_found(server: RealServer, path: bytes) -> None:
    assert answer(server.raw(head(server, b"GET " + path, b"\r\n"))) == (404, "not_found")


def test_methods_are_those_that_are_declared(server: RealServer) -> None:
    upload = post(server, b"/api/upload", part() + END, FORM)
    assert upload == (201, "")
    for method in (b"TRACE", b"CONNECT", b"PROPFIND", b"MADEUP", b"G" * 3_000):
        got = server.raw(head(server, method + b" /api/uploads", b"\r\n"))
        assert answer(got) == (405, "method_not_allowed")
        assert b"Allow: GET" in got or b"Allow: HEAD" in got or b"Allow: OPTIONS" in got
    assert answer(server.raw(head(server, b"get /api/uploads", b"\r\n"))) == (400, "bad_request")
    got = server.raw(head(server, b"HEAD /api/uploads", b"\r\n"))
    assert (got.split(b"\r\n")[0], got.partition(b"\r\n\r\n")[2]) == (b"HTTP/1.1 200 OK", b"")
    for name in (b"X-HTTP-Method-Override", b"X-Method-Override", b"X-HTTP-Method"):
        override = name + b": DELETE\r\n"
        assert post(server, b"/api/uploads/1", b"{}", JSON, override)[0] == 405
    assert answer(server.raw(head(server, b"GET /api/uploads/1", b"\r\n"))) == (200, "")
    figures = server.ask("GET", "/metrics").text
    assert 'method="other"' in figures
    assert "MADEUP" not in figures


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
        (b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501),
        (b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        (b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400),
        (b"Content-Length: -1\r\n\r\n", 400),
        (b"Content-Length: +2\r\n\r\n{}", 400),
        (b"Content-Length: 0x2\r\n\r\n{}", 400),
        (b"Content-Length: 99999999999999999999999\r\n\r\n", 413),
        (b"Content-Length: 1073741824\r\n\r\n", 413),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (b"X: a\nY: b\r\n\r\n", 400),
        (b"X: a\rb\r\n\r\n", 400),
        (b"X: a\x00b\r\n\r\n", 400),
        (b"X: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"".join(b"X%d: a\r\n" % n for n in range(9_000)) + b"\r\n", 431),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_a_frame_that_two_could_read_in_two_ways_is_refused(
    server: RealServer, frame: bytes, status: int
) -> None:
    assert answer(server.raw(head(server, b"POST /api/shops", JSON, frame)))[0] == status


def test_an_old_client_sends_no_chunks(server: RealServer) -> None:
    sent = b"POST /api/shops HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert answer(server.raw(sent))[0] == 400


@pytest.mark.parametrize(
    ("form", "kind", "status"),
    [
        (part() + END, FORM, 201),
        (b"before\r\n" + part() + END + b"after", FORM, 201),
        (part()[:-20], FORM, 400),
        (part(), FORM, 400),
        (b"", FORM, 400),
        (END, FORM, 400),
        (part() + END, b"Content-Type: multipart/form-data\r\n", 400),
        (part() + END, FORM.replace(b"=x", b"=y"), 400),
        (part() + END, FORM.replace(b"=x", b"=" + b"y" * 5_000), 400),
        (part() + END, b"", 400),
        (b"{}", JSON, 400),
        (b"file=a", b"Content-Type: application/x-www-form-urlencoded\r\n", 400),
        (part() + part() + END, FORM, 400),
        (part(b'name="files"; filename="a.csv"') + END, FORM, 400),
        (part(b'name="file"') + END, FORM, 400),
        (part(b'filename="a.csv"') + END, FORM, 400),
        (part(b'name="file"; filename="\xff\xfe.csv"') + END, FORM, 400),
        (part(b'name="file"; filename=".."') + END, FORM, 400),
        (part(b'name="file"; filename=""') + END, FORM, 400),
        (part(more=b"X: " + b"a" * 300_000 + b"\r\n") + END, FORM, 413),
        (b"".join(part(b'name="f%d"' % n, b"v") for n in range(100)) + END, FORM, 413),
        (part(b'name="shop_id"', b"1" * 400_000) + part() + END, FORM, 413),
        (part(more=b"Content-Type: multipart/mixed; boundary=y\r\n") + END, FORM, 400),
        (part(more=b"Content-Transfer-Encoding: base64\r\n") + END, FORM, 400),
        (part(b'name="shop_id"', b"1") + part(b'name="shop_id"', b"1") + part() + END, FORM, 400),
        (part(b'name="shop_id"', b"1e3") + part() + END, FORM, 400),
        (part(b'name="shop_id"', b"9" * 30) + part() + END, FORM, 400),
        (part(b'name="shop_id"', "\u0661".encode()) + part() + END, FORM, 400),
    ],
    ids=[
        "whole",
        "text around it",
        "cut in the file",
        "without an end",
        "empty",
        "only an end",
        "no boundary",
        "another boundary",
        "a long boundary",
        "no type",
        "json",
        "a form in the address's own way",
        "two files",
        "another field",
        "as text",
        "no field",
        "a name that is no text",
        "a name that goes up",
        "no name",
        "a huge header of a part",
        "many parts",
        "a huge field",
        "parts in parts",
        "encoded",
        "shop twice",
        "shop 1e3",
        "shop huge",
        "shop in other digits",
    ],
)
def test_a_form_is_whole_and_holds_one_file(
    server: RealServer, form: bytes, kind: bytes, status: int
) -> None:
    assert post(server, b"/api/upload", form, kind)[0] == status
    assert list((server.folder / "tmp").iterdir()) == []
    assert list((server.folder / "uploads").glob("tmp/*")) == []


def forget_peak(server: RealServer) -> int:
    """Begin to count the largest memory anew; return what is held now."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    return server.bytes_of_memory()


def chunks(total: int) -> Iterator[bytes]:
    chunk = b"x" * 1024**2
    for _ in range(total // len(chunk)):
        yield b"100000\r\n" + chunk + b"\r\n"
    yield b"0\r\n\r\n"


def test_a_body_beyond_the_limit_costs_neither_memory_nor_disk(server: RealServer) -> None:
    top = head(server, b"POST /api/upload", FORM, b"Transfer-Encoding: chunked\r\n\r\n")
    before = forget_peak(server)
    with health_watched(server):
        # A gigabyte that is announced is refused before any of it is read.
        with server.connect() as line:
            line.sendall(
                head(server, b"POST /api/upload", FORM, b"Content-Length: 1073741824\r\n\r\n")
            )
            assert answer(read_all(line)) == (413, "too_large")
        # One that is not announced, once it is too large.
        with server.connect() as line:
            line.sendall(top)
            try:
                for chunk in chunks(1024**3 // 4):
                    line.sendall(chunk)
            except OSError:
                pass
            assert answer(read_all(line)) == (413, "too_large")
        # Without a token much less is read.
        nobody = b"POST /api/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n"
        got = server.raw(nobody + bytes(10_000_000))
        assert answer(got) == (413, "too_large")
        assert b"larger than 2,097,152 bytes, which is the limit here" in got

    assert server.bytes_of_memory() - before < 10 * 1024**2
    assert list((server.folder / "tmp").iterdir()) == []


@pytest.mark.security_long
def test_a_gigabyte_in_chunks_with_the_limits_as_they_are(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker") as server:
        before = forget_peak(server)
        with server.connect() as line:
            line.sendall(
                head(server, b"POST /api/upload", FORM, b"Transfer-Encoding: chunked\r\n\r\n")
            )
            with contextlib.suppress(OSError):
                for chunk in chunks(1024**3):
                    line.sendall(chunk)
            assert answer(read_all(line)) == (413, "too_large")
        grown = (server.bytes_of_memory() - before) / 1024**2
        assert list((tmp_path / "tmp").iterdir()) == []

    note_figure("a chunked body of 1 GiB: memory grows by", f"{grown:.1f} MiB", "under 10 MB")
    assert grown < 10


def test_the_largest_upload_is_taken_in_and_costs_no_memory(server: RealServer) -> None:
    line = b"c1,A1,2024-01-01,10\n"
    body = SALES.split(b"\n")[0] + b"\n"
    body += line * ((MOST - len(body)) // len(line))
    post(server, b"/api/upload", part(body=SALES) + END, FORM)
    before = forget_peak(server)

    assert post(server, b"/api/upload", part(body=body) + END, FORM) == (201, "")

    assert server.bytes_of_memory() - before < 10 * 1024**2
    assert list((server.folder / "tmp").iterdir()) == []
