"""Parts of an analysis: the file answers as the database does, and the parts add up to the whole."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from api.shop import Api, open_api
from rfm_testing import service_settings

from rfm_backend.services import analyses, insights, parts, result_rows
from rfm_backend.services.chosen import Chosen, open_customers, positions_sql
from rfm_backend.services.exports import result_path
from rfm_backend.services.insights import Told
from rfm_backend.storage import results
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.results import Order, ResultRow, Wanted, key_of

pytestmark = pytest.mark.slow
ORDERS: tuple[Order, ...] = ("customer_id", "recency", "frequency", "monetary")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with open_api(service_settings("sqlite", tmp_path_factory.mktemp("parts"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def analysis(api: Api) -> AnalysisHead:
    """An analysis of 70 customers."""
    person = api.person()
    number = person.process(person.upload())["analysis_id"]
    return analyses.by_id(api.service, person.user_id, number)


@pytest.fixture(scope="module")
def told(api: Api, analysis: AnalysisHead) -> Told:
    return insights.tell(api.service, analysis)


def from_database(api: Api, analysis: AnalysisHead, wanted: Wanted) -> list[ResultRow]:
    return api.service.database.read(lambda tx: results.page(tx, analysis.id, wanted))


def test_the_file_gives_the_pages_that_the_database_gives(api: Api, analysis: AnalysisHead) -> None:
    key = from_database(api, analysis, Wanted())[0].segment
    filters = (
        Wanted(),
        Wanted(segment=key),
        Wanted(cluster=1),
        Wanted(segment=key, cluster=0),
        Wanted(beginning="c01"),
        Wanted(beginning="NAME 4"),
        Wanted(beginning="C05", segment=key),
        Wanted(beginning="x'\"%_"),
    )
    with open_customers(result_path(api.service, analysis)) as (engine, source):
        for chosen, order, descending in itertools.product(filters, ORDERS, (False, True)):
            asked = replace(chosen, order=order, descending=descending, limit=9)
            for _ in range(2):
                expected = from_database(api, analysis, asked)
                same = Chosen(
                    segment=asked.segment, cluster=asked.cluster, beginning=asked.beginning
                )
                found = engine.rows(positions_sql(source, same, analysis.column_names, asked))
                assert [row[0] for row in found] == [row.position for row in expected]
                if not expected:
                    break
                asked = replace(asked, after=key_of(asked, expected[-1]))


def test_pages_of_a_cell_put_together_are_its_customers_in_order(
    api: Api, analysis: AnalysisHead, told: Told
) -> None:
    everybody = from_database(api, analysis, Wanted(limit=1_000))
    cells = {f"{row.r_score}{row.f_score}" for row in everybody}
    one_of_three = f"{everybody[0].r_score}{everybody[0].f_score}{everybody[0].m_score}"
    assert len(cells) > 3

    for cell in (*sorted(cells)[:3], one_of_three):
        seen: list[ResultRow] = []
        wanted = Wanted(order="monetary", descending=True, limit=3)
        while page := result_rows.page(api.service, analysis, wanted, cell=cell):
            seen += page
            wanted = replace(wanted, after=key_of(wanted, page[-1]))

        expected = [
            row for row in everybody if f"{row.r_score}{row.f_score}{row.m_score}".startswith(cell)
        ]
        assert seen == sorted(expected, key=lambda row: -row.monetary_rank)
        if len(cell) == 2:
            assert told.summary.heat_map[int(cell[0]), int(cell[1])] == (
                len(seen),
                sum((row.monetary for row in seen), Decimal(0)),
            )


def test_a_cursor_that_names_no_row_gives_nothing(api: Api, analysis: AnalysisHead) -> None:
    for order in ORDERS:
        wanted = Wanted(order=order, after=(2**62, 2**62))
        assert result_rows.page(api.service, analysis, wanted, cell="11") == []


def test_the_cells_of_the_grid_add_up_to_the_whole(
    api: Api, analysis: AnalysisHead, told: Told
) -> None:
    cells = [f"{r}{f}" for r, f in told.summary.heat_map]
    found = [parts.part_of_cell(api.service, analysis, told.summary, cell=cell) for cell in cells]

    for place, whole in enumerate(told.summary.segments):
        assert sum(one.segments[place].n_customers for one in found) == whole.n_customers
        money = sum((one.segments[place].monetary for one in found), Decimal(0))
        assert money == whole.monetary
    for place, cluster in enumerate(told.summary.clusters):
        assert sum(one.clusters[place].n_customers for one in found) == cluster.n_customers
    for segment, counts in told.summary.cross_table.items():
        added = [
            sum(pair) for pair in zip(*(one.cross_table[segment] for one in found), strict=True)
        ]
        assert tuple(added) == counts
    shares = sum(one.share_of_customers for one in found[0].segments)
    assert shares == pytest.approx(1 if told.summary.heat_map[1, 1][0] else 0)


def test_a_segment_and_the_rest_are_everybody(api: Api, analysis: AnalysisHead, told: Told) -> None:
    summary = told.summary
    for own in summary.segments:
        found = parts.contrast(api.service, analysis, summary, segment=own.segment)

        assert found.own == own
        assert found.own.n_customers + found.rest.n_customers == summary.quality.n_customers
        assert found.own.monetary + found.rest.monetary == summary.quality.amount_kept
        for name, (_, counts) in summary.histograms.items():
            assert sum(found.own_counts[name]) == own.n_customers
            added = zip(found.own_counts[name], found.rest_counts[name], strict=True)
            assert tuple(sum(pair) for pair in added) == counts
