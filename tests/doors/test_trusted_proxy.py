"""Whose word on the client's address is believed: that of the proxy that the settings name."""

from pathlib import Path

from doors.real_server import served

# /metrics answers loopback, so that it tells which address the service takes a client for.
_BY_A_PROXY = {
    "X-Forwarded-For": "127.0.0.1",
    "Forwarded": "for=127.0.0.1",
    "Via": "1.1 proxy",
    "X-Real-IP": "127.0.0.1",
}
_FROM_ELSEWHERE = {"X-Forwarded-For": "203.0.113.9", "Authorization": ""}


def test_a_clients_address_comes_from_the_trusted_proxy_alone(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker") as server:
        assert server.ask("GET", "/metrics", headers={"Authorization": ""}).status_code == 200
        # Somebody's proxy on this machine: without it being named nobody knows whom it asks for.
        for name, value in _BY_A_PROXY.items():
            headers = {"Authorization": "", name: value}
            assert server.ask("GET", "/metrics", headers=headers).status_code == 401, name

    with served(
        tmp_path,
        "--no-worker",
        RFM_TRUSTED_PROXY="127.0.0.1",
        RFM_DATA_DIR=str(tmp_path / "other"),
    ) as server:
        assert server.ask("GET", "/metrics", headers=_FROM_ELSEWHERE).status_code == 401
        assert server.ask("GET", "/metrics", headers={"Authorization": ""}).status_code == 200
