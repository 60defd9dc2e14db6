"""Publishing: the rows are the same whichever way they come into whichever database."""

from pathlib import Path
from typing import Any

import pytest
from api.shop import SALES, open_api, wipe
from rfm_testing import service_settings

from rfm_backend.storage import results

pytestmark = pytest.mark.slow

ODD_LINES = (
    "customer_id,invoice_id,invoice_date,amount,customer_name,email",
    "NULL-,A1,2024-01-05,5.5,NULL,n@x.org",
    "it's ' a ') quote,A1,2024-01-05,5.5,'); DROP TABLE users; --,%s %(a)s",
    '"quo""te",A2,2024-01-06,6,"two\nlines, comma",\\N',
    "back\\slash,A3,2024-01-07,12345678901.123456,,",
    "日本,A4,2024-01-08,0.000001,Zoë,z@x.org",
    "=1+1,A5,2024-01-09,7,🙂,s@x.org",
)
ODD = "\n".join(ODD_LINES).encode()


def rows_of(
    folder: Path, content: bytes, *, kind: str = "mysql", local_infile: bool = False, **options: Any
) -> list[dict[str, Any]]:
    settings = service_settings(kind, folder, local_infile=local_infile)
    try:
        with open_api(settings) as api:
            person = api.person()
            upload_id = person.upload(content)
            person.process(upload_id, n_clusters=2, **options)
            found: list[dict[str, Any]] = person.ask("GET", f"/api/rfm/results/{upload_id}").json
            return found
    finally:
        wipe(settings)


@pytest.mark.parametrize("content", [SALES, ODD], ids=["plain", "odd"])
def test_rows_are_the_same_whichever_way_they_come(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[bool] = []
    load = results.load_file

    def noting(*arguments: Any, **values: Any) -> bool:
        loaded.append(load(*arguments, **values))
        return loaded[-1]

    monkeypatch.setattr(results, "load_file", noting)
    by_file = rows_of(tmp_path / "a", content, local_infile=True)
    as_literals = rows_of(tmp_path / "b", content)
    value_by_value = rows_of(tmp_path / "c", content, kind="sqlite")

    assert by_file == as_literals == value_by_value
    assert loaded == [True]


def test_a_customer_is_kept_once_for_each_of_his_groups(tmp_path: Path) -> None:
    content = (
        b"customer_id,invoice_date,amount,shop\na,2024-01-01,1,north\na,2024-01-02,20,south\n"
        b"b,2024-01-03,3,north\nc,2024-01-04,40,south\n"
    )

    found = rows_of(tmp_path, content, kind="sqlite", by="shop")

    told = [(one["customer_id"], one["shop"], one["monetary"]) for one in found]
    assert told == [("a", "north", 1), ("a", "south", 20), ("b", "north", 3), ("c", "south", 40)]


def test_a_file_that_does_not_fit_is_not_loaded_at_all(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path)
    with open_api(settings, with_worker=False) as api:
        path = tmp_path / "rows.csv"
        path.write_text("1,1,not a number at all\n")

        assert not results.load_file(api.service.database, path, n_rows=1)
        assert api.service.database.read(lambda tx: results.last_position(tx, 1)) == 0
    wipe(settings)
