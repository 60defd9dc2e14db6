"""A workbook for more customers than a sheet has rows is refused before any work, with the way on."""

import html
import re

import pytest
import sqlalchemy as sa
from api.shop import Api
from web.shown import Shown
from web.test_pages import visit

from rfm_backend.errors import TooManyRows
from rfm_backend.services import analyses, exports
from rfm_backend.services.chosen import Chosen
from rfm_backend.storage.tables import ANALYSES

pytestmark = pytest.mark.slow


def test_a_sheet_takes_as_many_customers_as_it_has_rows_and_not_one_more(
    api: Api, shown: Shown
) -> None:
    # Seventy customers: api/shop.py.
    head = analyses.by_id(api.service, shown.person.user_id, shown.analysis_id)
    some = Chosen(beginning="c00")

    exports.make_export(api.service, head, "xlsx", most_rows=70).unlink()
    exports.make_export(api.service, head, "xlsx", chosen=some, most_rows=10).unlink()
    exports.make_export(api.service, head, "csv", most_rows=1).unlink()
    with pytest.raises(TooManyRows, match="70 customers, and a sheet holds 69"):
        exports.make_export(api.service, head, "xlsx", most_rows=69)
    # Of some customers the child says it: c000 to c009 are ten.
    with pytest.raises(TooManyRows, match="10 customers, and a sheet holds 9"):
        exports.make_export(api.service, head, "xlsx", chosen=some, most_rows=9)


def test_a_million_customers_as_a_workbook_are_told_what_to_take_instead(api: Api) -> None:
    mine = Shown(api.person())
    # A sheet of XLSX has 1,048,576 rows (Microsoft, "Excel specifications and limits"), one for the header.
    api.service.database.write(
        lambda tx: tx.execute(
            sa.update(ANALYSES).filter_by(id=mine.analysis_id).values(n_customers=1_048_576)
        )
    )

    told = mine.person.ask("GET", f"/api/rfm/export/{mine.upload_id}?format=xlsx")
    page = visit(api, "GET", f"{mine.address}/export?form=xlsx", mine.person.token)

    assert (told.status_code, told.json["code"]) == (422, "too_many_rows")
    assert "CSV or Parquet" in told.json["message"]
    assert page.status_code == 422
    assert "Take CSV instead" in page.text
    links = [html.unescape(one) for one in re.findall(r'href="(/analyses/[^"]+)"', page.text)]
    assert links == [f"{mine.address}/export?form=csv", f"{mine.address}/customers"]
    assert visit(api, "GET", links[0], mine.person.token).status_code == 200
