"""How MariaDB answers the pages: each query, as the service sends it, goes by an index and sorts nothing large."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from api.shop import wipe
from rfm_testing import service_settings
from sqlalchemy.engine import Connection
from storage.test_result_pages import FILTERS, ORDERS, least_row, row

from rfm_backend.services import (
    Service,
    analyses,
    following,
    history,
    open_service,
    result_rows,
    uploads,
)
from rfm_backend.storage import analyses as stored_analyses
from rfm_backend.storage import jobs, results
from rfm_backend.storage import uploads as stored_uploads
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.results import Wanted, key_of
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import METADATA

pytestmark = pytest.mark.slow

# One in twenty rows of each table is this user's: enough for an index to be worth it.
ME, N_USERS, N_UPLOADS = 1, 20, 40
# Of one of his uploads; of the others there is one.
N_ANALYSES, UPLOAD = 15, 3
FEW = ("uq_shops_user_id_name", "ix_analyses_upload_id_fingerprint")
RESULT = 1


@dataclass(frozen=True)
class Plan:
    """One line of EXPLAIN, and the query it is of."""

    query: str
    table: str
    type: str
    key: str | None
    rows: int
    extra: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = service_settings("mysql", tmp_path_factory.mktemp("plans"))
    migrate(settings)
    opened = open_service(settings)
    opened.database.write(fill)
    opened.database.write(analyse_tables)
    yield opened
    opened.close()
    wipe(settings)


def fill(tx: Connection) -> None:
    """Give every user a shop, uploads, jobs and analyses, and two analyses their rows."""
    rows: dict[str, list[dict[str, Any]]] = {}

    def add(table: str, number: int, **values: object) -> None:
        least = least_row(METADATA.tables[table], number)
        rows.setdefault(table, []).append({**least, "id": number, **values})

    for user in range(1, N_USERS + 1):
        add("users", user, username_key=f"u{user}", email_key=f"e{user}")
        add("shops", user, user_id=user)
        for place in range(N_UPLOADS):
            number = (user - 1) * N_UPLOADS + place + 1
            mine = {"user_id": user}
            add("stored_files", number, sha256=f"{number}", **mine)
            add(
                "upload_history",
                number,
                shop_id=user,
                stored_file_id=number,
                current_analysis_id=number,
                **mine,
            )
            add(
                "analyses",
                number,
                upload_id=number,
                fingerprint=f"f{number}",
                published_at=utc_now(),
                columns='["customer_id"]',
                options="{}",
                **mine,
            )
            add(
                "jobs",
                number,
                upload_id=number,
                fingerprint=f"f{number}",
                state="done",
                finished_at=utc_now(),
                **mine,
            )
    for number in range(N_ANALYSES - 1):
        add(
            "analyses",
            10_000 + number,
            user_id=ME,
            upload_id=UPLOAD,
            fingerprint=f"g{number}",
            published_at=utc_now(),
        )
    for table, values in rows.items():
        tx.execute(sa.insert(METADATA.tables[table]), values)
    for analysis in (RESULT, RESULT + 1, RESULT + 2):
        results.insert_many(tx, [row(analysis, place) for place in range(1, 1_501)])


def analyse_tables(tx: Connection) -> None:
    """Let the server count, so that its plans do not hang on chance."""
    for table in METADATA.tables:
        tx.exec_driver_sql(f"ANALYZE TABLE {table}").all()


@contextmanager
def explained(service: Service) -> Iterator[list[Plan]]:
    """Gather the plan of each query that is sent meanwhile."""
    sent: list[tuple[str, Any]] = []
    plans: list[Plan] = []

    def note(on: Connection, _k: object, statement: str, values: Any, *_more: object) -> None:
        if on.engine.url == service.database.engine.url and statement.lstrip().startswith("SELECT"):
            sent.append((statement, values))

    # Of every engine: single statements have one of their own.
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    with service.database.engine.connect() as connection:
        for statement, values in sent:
            lines = connection.exec_driver_sql(f"EXPLAIN {statement}", values).mappings()
            plans += [plan_of(statement, line) for line in lines]


def plan_of(statement: str, line: sa.RowMapping) -> Plan:
    return Plan(
        query=" ".join(statement.split()),
        table=str(line["table"]),
        type=str(line["type"]),
        key=line["key"],
        # "20 (5%)" where a second index thins out what the first one finds.
        rows=int(str(line["rows"] or 0).split()[0]),
        extra=str(line["Extra"]),
    )


def check(plans: list[Plan], *, at_least: int = 1) -> None:
    """Refuse whole tables and sorted rows; a lookup that finds nothing has no table.

    A user's shops and an upload's analyses are the exception: they are few, and sorted where found.
    """
    assert len(plans) >= at_least
    for plan in plans:
        # What a subquery found has lines of its own for how it was found.
        if plan.table == "None" or plan.table.startswith("<"):
            continue
        assert plan.type not in ("ALL", "index"), plan
        assert plan.key is not None, plan
        is_few = plan.key.startswith(FEW) and plan.rows <= N_ANALYSES
        assert "filesort" not in plan.extra or is_few, plan
        assert "temporary" not in plan.extra, plan


LISTS: dict[str, Callable[[Service], object]] = {
    "history": lambda it: history.page(it, ME, before=None, limit=20),
    "history, on": lambda it: history.page(it, ME, before=30, limit=20),
    "history of a shop": lambda it: history.page(it, ME, before=30, limit=20, shop_id=1),
    "uploads": lambda it: uploads.page(it, ME, before=30, limit=20, shop_id=None),
    "analyses": lambda it: analyses.page(it, ME, upload_id=None, before=None, limit=20),
    "analyses, on": lambda it: analyses.page(it, ME, upload_id=None, before=30, limit=20),
    "analyses of an upload": lambda it: analyses.page(
        it, ME, upload_id=UPLOAD, before=30, limit=20
    ),
    "the current analysis": lambda it: analyses.current(it, ME, UPLOAD),
    "an analysis with the same options": lambda it: it.database.read(
        lambda tx: stored_analyses.find(tx, user_id=ME, upload_id=UPLOAD, fingerprint="f3")
    ),
    "the analysis before": lambda it: it.database.read(
        lambda tx: stored_analyses.newest_besides(tx, user_id=ME, upload_id=UPLOAD, besides=3)
    ),
    "how many analyses": lambda it: it.database.read(lambda tx: stored_analyses.count(tx, ME)),
    "a summary": lambda it: it.database.read(
        lambda tx: stored_analyses.summary_json(tx, 3, user_id=ME)
    ),
    "space used": lambda it: it.database.read(lambda tx: stored_uploads.space_used(tx, ME)),
    "jobs": lambda it: it.database.read(lambda tx: jobs.page(tx, ME, before=30, limit=20)),
    "jobs under way": lambda it: following.lately(it, ME),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_goes_by_an_index(service: Service, name: str) -> None:
    with explained(service) as plans:
        LISTS[name](service)

    check(plans)
    # The rows of one user, not of all.
    assert max(plan.rows for plan in plans) <= 3 * N_UPLOADS


def test_each_page_of_a_result_goes_by_its_key(service: Service) -> None:
    analysis = analyses.by_id(service, ME, RESULT)
    # Where an analysis has no files of its orders, the first page makes them.
    result_rows.page(service, analysis, Wanted(segment="s1"))

    with explained(service) as plans:
        for chosen, order, descending in itertools.product(FILTERS, ORDERS, (False, True)):
            wanted = Wanted(**chosen, order=order, descending=descending, limit=20)
            for row_before in result_rows.page(service, analysis, wanted)[-1:]:
                after = key_of(wanted, row_before)
                beyond = Wanted(**chosen, order=order, descending=descending, limit=20, after=after)
                result_rows.page(service, analysis, beyond)
        results_of_one = result_rows.of_customer(service, analysis, "c000700")
        streamed = sum(len(part) for part in result_rows.stream(service, analysis))

    assert (len(results_of_one), streamed) == (1, 1_500)
    check(plans, at_least=2 * 4 * len(ORDERS))
    assert {plan.table for plan in plans} <= {"rfm_results", "None"}
    assert {plan.key for plan in plans} - {None} == {"PRIMARY", "ix_rfm_results_customer"}
    pages = [plan for plan in plans if " IN (" in plan.query]
    assert max(plan.rows for plan in pages) <= 20


def test_making_the_orders_again_reads_one_analysis_in_its_order(service: Service) -> None:
    analysis = analyses.by_id(service, ME, RESULT + 1)

    with explained(service) as plans:
        result_rows.page(service, analysis, Wanted(order="monetary", descending=True))

    check(plans, at_least=2)
    assert {plan.key for plan in plans} == {"PRIMARY"}
