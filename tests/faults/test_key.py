"""The key that a machine's development makes itself: one, whole, whoever starts at the same moment."""

import threading
from dataclasses import replace
from pathlib import Path

from rfm_testing import service_settings

from rfm_backend.services import open_service
from rfm_backend.services.service import KEY_FILE


def test_all_who_start_at_once_have_one_key(tmp_path: Path) -> None:
    settings = replace(service_settings("sqlite", tmp_path), secret_key="")
    start = threading.Barrier(16)
    keys: set[bytes] = set()

    def open_one() -> None:
        start.wait()
        service = open_service(settings)
        keys.add(service.keys.tokens)
        service.close()

    threads = [threading.Thread(target=open_one) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 1
    assert len((settings.data_dir / KEY_FILE).read_text().strip()) == 64
    assert [path.name for path in settings.data_dir.iterdir()] == [KEY_FILE]
