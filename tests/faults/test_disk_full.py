"""A disk that is full: uploads are refused, everything else works, and all of it once there is room again."""

import io
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from api.shop import PASSWORD, SALES, open_api
from figures import note_figure
from rfm_testing import service_settings

from rfm_backend.jobs.sweep import sweep
from rfm_backend.storage.rows import utc_now

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB; without the right to mount one the test is skipped."""
    place = tmp_path / "disk"
    place.mkdir()
    order = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(order, check=False, capture_output=True).returncode:
        pytest.skip("A small disk can be mounted by root only.")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def received(folder: Path) -> list[Path]:
    """Return what stands of uploads, whole or not."""
    return sorted([*folder.glob("tmp/*"), *folder.glob("*/files/*")])


def fill(place: Path) -> Path:
    """Take all the room that is left."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as writing:
        for size in (1024 * 1024, 4096):
            try:
                while True:
                    writing.write(bytes(size))
            except OSError:
                continue
    return filler


def test_a_full_disk_refuses_uploads_alone_and_nothing_is_left_of_them(small_disk: Path) -> None:
    settings = service_settings("sqlite", small_disk, max_upload_bytes=1024 * 1024)
    with open_api(settings) as api:
        person = api.person()
        upload_id = person.upload()
        person.process(upload_id)
        sweep(api.service, now=utc_now())
        files = received(settings.upload_dir)
        filler = fill(small_disk)

        refused = person.ask("POST", "/api/upload", data={"file": (io.BytesIO(SALES * 2), "b.csv")})
        waiting = person.ask(
            "POST",
            f"/api/rfm/process/{upload_id}",
            json={"seed": 7},
            headers={"Prefer": "respond-async"},
        )
        logins = [
            api.ask(
                "POST",
                "/api/auth/login",
                json={"identifier": person.name, "password": PASSWORD},
            ).status_code
            for _ in range(40)
        ]
        read = person.ask("GET", f"/api/rfm/results/{upload_id}")
        left = received(settings.upload_dir)

        note_figure(
            "full disk: logins that work while uploads are refused",
            f"{logins.count(200)} of {len(logins)}",
            "all",
        )
        assert (refused.status_code, refused.json["code"]) == (507, "over_quota")
        assert set(logins) == {200}
        assert (read.status_code, len(read.json)) == (200, 70)
        assert left == files

        filler.unlink()
        assert person.upload(SALES + b"\n") > upload_id
        # The job that was asked for then is done, or has failed with its reason, and can be done now.
        assert waiting.status_code == 202
        assert person.ask(
            "POST", f"/api/rfm/process/{upload_id}", json={"seed": 7}
        ).status_code in (
            200,
            422,
        )
        assert (
            person.ask("POST", f"/api/rfm/process/{upload_id}", json={"seed": 8}).status_code == 200
        )


def test_a_form_that_finds_no_room_before_it_is_read_is_refused_as_an_upload_is(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(small_disk)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="b.csv"\r\n\r\n'
    form = head + bytes(8 * 1024 * 1024) + b"\r\n--x--\r\n"
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        person = api.person()

        refused = person.ask(
            "POST", "/api/upload", data=form, content_type="multipart/form-data; boundary=x"
        )

    assert (refused.status_code, refused.json["code"]) == (507, "over_quota")
