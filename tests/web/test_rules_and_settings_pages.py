"""Rules, settings and comparison as pages: what is sent, refused, kept and computed."""

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from api.shop import Api, Person
from web.shown import grouped_sales
from web.test_pages import visit

from rfm_backend.catalogue import words
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.options_json import options_from_json, options_to_json
from rfm_backend.pipeline.rules import built_in_rules, parse_rules
from rfm_backend.pipeline.strict_json import Fields
from rfm_backend.services.requests import request_from_json
from rfm_backend.storage import jobs
from rfm_backend.web.option_forms import body_of, form_of
from rfm_backend.web.pages.compare import differences

TEN = built_in_rules("ten")
Shop = tuple[Person, int, int]


@pytest.fixture(scope="module")
def shop(api: Api) -> Shop:
    """Somebody, his upload, and the analysis of it."""
    person = api.person()
    upload_id = person.upload()
    return person, upload_id, person.process(upload_id)["analysis_id"]


def rows(person: Person, upload_id: int) -> list[dict[str, Any]]:
    return list(person.ask("GET", f"/api/rfm/results/{upload_id}").json)


def rules_form(
    cells: Mapping[str, str], *more: tuple[str, str], **sent: str
) -> list[tuple[str, str]]:
    keys = dict.fromkeys([*TEN.segments, *cells.values()])
    return [
        ("dimensions", "2"),
        *(("segment", key) for key in keys if key),
        *(("segment_name", "") for key in keys if key),
        *((f"cell-{cell}", key) for cell, key in cells.items() if key),
        *more,
        *sent.items(),
    ]


def send_rules(api: Api, shop: Shop, form: list[tuple[str, str]], part: str = "") -> Any:
    body: dict[str, list[str]] = {}
    for name, value in form:
        body.setdefault(name, []).append(value)
    return visit(api, "POST", f"/analyses/{shop[2]}/rules{part}", shop[0].token, data=body)


def test_the_effect_of_a_painted_cell_is_its_customers_and_their_money(
    api: Api, shop: Shop
) -> None:
    person, upload_id, _ = shop
    told = rows(person, upload_id)
    cell = Counter(one["rfm_cell"][:2] for one in told).most_common(1)[0][0]
    inside = [one for one in told if one["rfm_cell"].startswith(cell)]
    money = sum((Decimal(str(one["monetary"])) for one in inside), Decimal(0))
    target = "champions" if TEN.cells[cell] != "champions" else "promising"

    same = send_rules(api, shop, rules_form(TEN.cells), "/effect")
    changed = send_rules(api, shop, rules_form({**TEN.cells, cell: target}), "/effect")

    assert "Nobody moves yet." in same.text
    say = words("en")
    expected = f"{len(inside)} customers move, with {say.money(money)} of revenue."
    assert expected in changed.text
    assert "<html" not in changed.text


def test_gaps_and_overlaps_are_named_cell_by_cell_and_not_saved(api: Api, shop: Shop) -> None:
    form = rules_form({**TEN.cells, "51": ""}, ("cell-55", "promising"), name="mine")

    effect = send_rules(api, shop, form, "/effect").text
    saved = send_rules(api, shop, form)

    assert "These cells have no segment (1): R5 F1." in effect
    assert "These cells have several segments (1): R5 F5." in effect
    assert saved.status_code == 422
    assert "These cells have no segment (1): R5 F1." in saved.text
    assert 'value="mine"' in saved.text
    assert shop[0].ask("GET", "/api/segments/tables").json["items"] == []


def test_a_segment_of_ones_own_is_added_painted_and_kept_under_its_name(
    api: Api, shop: Shop
) -> None:
    person, _, analysis_id = shop
    added = send_rules(api, shop, rules_form(TEN.cells, new_name="Pelanggan Emas!", do="save"))
    twice = send_rules(api, shop, rules_form(TEN.cells, new_name="Champions", do="add"))
    empty = send_rules(api, shop, rules_form(TEN.cells, new_name=" !!! ", do="add"))
    keys = [*TEN.segments, "pelanggan_emas"]
    form = [
        ("dimensions", "2"),
        *(("segment", key) for key in keys),
        *(("segment_name", 'Pelanggan "Emas" \\ =' if key == keys[-1] else "") for key in keys),
        *((f"cell-{cell}", key) for cell, key in {**TEN.cells, "55": keys[-1]}.items()),
        ("name", "dengan emas"),
    ]
    kept = send_rules(api, shop, form)
    again = send_rules(api, shop, form)
    built_in = send_rules(api, shop, rules_form(TEN.cells, name="eleven"))

    assert "A built-in table has this name." in built_in.text
    assert '<input type="hidden" name="segment" value="pelanggan_emas">' in added.text
    assert "No cell is left for these segments" in added.text
    assert "Pelanggan Emas!" in added.text
    assert twice.status_code == 400
    assert empty.status_code == 400
    assert 'id="new_name-error"' in empty.text
    assert kept.headers["Location"] == f"/analyses/{analysis_id}/settings?table=dengan%20emas"
    assert again.status_code == 409
    assert 'id="name-error"' in again.text
    (table,) = person.ask("GET", "/api/segments/tables").json["items"]
    assert table["cells"] == {**TEN.cells, "55": "pelanggan_emas"}
    chosen = visit(api, "GET", kept.headers["Location"], person.token).text
    assert '<option value="dengan emas" selected>' in chosen
    looked = visit(api, "GET", f"/analyses/{analysis_id}/rules?table=dengan emas", person.token)
    assert "Pelanggan &#34;Emas&#34; \\ =" in looked.text
    gone = f"/analyses/{analysis_id}/rules/tables/{table['table_id']}/delete"
    assert visit(api, "POST", gone, api.person().token).status_code == 404
    assert visit(api, "POST", gone, person.token).status_code == 303
    assert person.ask("GET", "/api/segments/tables").json["items"] == []


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("n_clusters", "1", "n_clusters"),
        ("n_clusters", "51", "n_clusters"),
        ("n_clusters", "five", "n_clusters"),
        ("seed", "-1", "seed"),
        ("seed", "4294967296", "seed"),
        ("snapshot_date", "2024-02-30", "snapshot_date"),
        ("since", "1 March", "since"),
        ("until", "2023-12-31", "until"),
        ("timezone", "Jakarta", "timezone"),
        ("exclude", "Country Unspecified", "exclude"),
        ("segments", "not kept", "segments"),
        ("model_from", "999999", "model_from"),
    ],
)
def test_a_setting_that_cannot_be_is_told_beside_its_field_and_the_rest_stays(
    api: Api, shop: Shop, name: str, value: str, field: str
) -> None:
    person, _, analysis_id = shop
    form = form_of(options_to_json(Options()), n_clusters=5)
    sent = {**form.values, "since": "2024-01-01", "keep": "customer_name", name: value}

    answer = visit(api, "POST", f"/analyses/{analysis_id}/settings", person.token, data=sent)

    assert answer.status_code in (400, 404)
    assert f'id="{field}-error"' in answer.text
    assert ">customer_name</textarea>" in answer.text
    assert answer.text.count('class="error"') == 1


@pytest.mark.parametrize(
    ("name", "value"), [("by", "Land"), ("exclude", "Land = DE"), ("keep", "email\nLand")]
)
def test_a_column_that_the_file_has_not_is_told_before_anything_runs(
    api: Api, shop: Shop, name: str, value: str
) -> None:
    person, _, analysis_id = shop
    form = form_of(options_to_json(Options()), n_clusters=5)

    answer = visit(
        api,
        "POST",
        f"/analyses/{analysis_id}/settings",
        person.token,
        data={**form.values, name: value},
    )

    assert answer.status_code == 400
    assert f'id="{name}-error"' in answer.text
    assert "The file has no such column" in answer.text
    assert "customer_id, invoice_id, invoice_date, amount, customer_name, email" in answer.text


def test_a_column_to_score_apart_by_is_chosen_from_those_of_the_file(api: Api) -> None:
    person = api.person()
    analysis_id = person.process(person.upload(grouped_sales()), by="country")["analysis_id"]

    page = visit(api, "GET", f"/analyses/{analysis_id}/settings", person.token).text

    offered = page.partition('<select id="by"')[2].partition("</select>")[0]
    # The columns of api/shop.py and shown.py, by hand; "" is nobody apart.
    assert re.findall(r'value="([^"]*)"', offered) == [
        "", "customer_id", "invoice_id", "invoice_date", "amount", "customer_name", "email", "country",
    ]  # fmt: skip
    assert re.findall(r'value="([^"]*)" selected', offered) == ["country"]


EDGES = {
    "recency": [30.0, 90.0, 180.0, 365.0],
    "frequency": [1.0, 2.0, 4.0, 5.0],
    "monetary": [1000.5, 1500.0, 2000.0, 3000.0],
}


def test_steps_of_ones_own_score_as_they_say_and_stay_with_the_analysis(api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    first = person.process(upload_id)["analysis_id"]
    asked = {
        f"{name}_{place}": str(edge)
        for name, edges in EDGES.items()
        for place, edge in enumerate(edges, 1)
    }
    form = {
        **form_of(options_to_json(Options()), n_clusters=5).values,
        **asked,
        "scores": "thresholds",
    }

    sent = visit(api, "POST", f"/analyses/{first}/settings", person.token, data=form)
    # The API's call of the same meaning joins the page's job.
    analysis_id = person.process(upload_id, thresholds=EDGES)["analysis_id"]

    assert sent.status_code == 303
    assert len(person.ask("GET", "/api/analyses").json["items"]) == 2
    for row in rows(person, upload_id):
        # DESIGN.md, Definitions: 1 + the edges below the value, and for days the other way round.
        above = {
            name: sum(float(row[name]) > edge for edge in edges) for name, edges in EDGES.items()
        }
        expected = f"{5 - above['recency']}{1 + above['frequency']}{1 + above['monetary']}"
        assert row["rfm_cell"] == expected
    page = visit(api, "GET", f"/analyses/{analysis_id}/settings", person.token).text
    assert (
        'name="monetary_1" id="monetary_1" type="number" step="any" min="0" value="1000.5"' in page
    )
    assert re.search(r'value="thresholds" checked', page)
    again = visit(api, "POST", f"/analyses/{analysis_id}/settings", person.token, data=form)
    assert again.headers["Location"] == f"/analyses/{analysis_id}"
    compared = visit(api, "GET", f"/analyses/{first}/compare/{analysis_id}", person.token).text
    assert "Money spent: 1,000.5, 1,500, 2,000, 3,000" in compared


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"recency_2": "30"}, "recency_1"),
        ({"frequency_4": ""}, "frequency_1"),
        ({"monetary_1": "much"}, "monetary_1"),
        ({"monetary_1": "9000"}, "monetary_1"),
    ],
)
def test_steps_that_do_not_ascend_are_told_beside_their_row(
    api: Api, shop: Shop, changed: dict[str, str], field: str
) -> None:
    asked = {
        f"{name}_{place}": str(edge)
        for name, edges in EDGES.items()
        for place, edge in enumerate(edges, 1)
    }
    form = {
        **form_of(options_to_json(Options()), n_clusters=5).values,
        **asked,
        "scores": "thresholds",
    }

    answer = visit(
        api, "POST", f"/analyses/{shop[2]}/settings", shop[0].token, data={**form, **changed}
    )

    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert answer.text.count('class="error"') == 1


def test_a_choice_that_is_none_of_the_list_is_told(api: Api, shop: Shop) -> None:
    form = form_of(options_to_json(Options()), n_clusters=5)
    sent = {**form.values, "returns": "burn"}

    answer = visit(api, "POST", f"/analyses/{shop[2]}/settings", shop[0].token, data=sent)

    assert answer.status_code == 400
    assert answer.text.count('class="error"') == 1


def test_the_form_of_an_analysis_sent_back_unchanged_asks_for_the_same_options() -> None:
    options = Options(
        mapping={"customer_id": "Buyer"},
        keep=("Country", "Color"),
        exclude=(("Country", "Unspecified"), ("Note", "a = b")),
        decimal=",",
        level="orders",
        returns="match",
        duplicates="drop",
        timezone="Asia/Jakarta",
        n_clusters="auto",
        seed=7,
        segments="eleven",
        scores="r-rfm",
        by="country",
        currency="IDR",
    )
    told = options_to_json(options)

    body = body_of(told, form_of(told, n_clusters=6))

    assert options_from_json(Fields(body, "the test")) == options


def test_the_same_settings_lead_to_the_result_that_is_there(api: Api, shop: Shop) -> None:
    person, _, analysis_id = shop
    form = form_of(options_to_json(Options()), n_clusters=5)
    path = f"/analyses/{analysis_id}/settings"

    plain = visit(api, "POST", path, person.token, data=form.values)
    by_htmx = visit(
        api, "POST", path, person.token, data=form.values, headers={"HX-Request": "true"}
    )

    assert plain.status_code == 303
    assert plain.headers["Location"] in ("/history", f"/analyses/{analysis_id}")
    assert by_htmx.headers["HX-Redirect"] == plain.headers["Location"]
    assert len(person.ask("GET", "/api/analyses").json["items"]) == 1


def test_an_analysis_compared_with_itself_has_no_moves_and_no_difference(
    api: Api, shop: Shop
) -> None:
    person, _, analysis_id = shop

    answer = visit(api, "GET", f"/analyses/{analysis_id}/compare/{analysis_id}", person.token)
    chosen = visit(api, "GET", f"/analyses/{analysis_id}/compare?other=7", person.token)
    alone = visit(api, "GET", f"/analyses/{analysis_id}/compare", person.token)

    assert "Everybody is in the same segment in both." in answer.text
    assert "Both were made with the same settings." in answer.text
    assert chosen.headers["Location"] == f"/analyses/7/compare/{analysis_id}"
    assert "nothing to compare with yet" in alone.text


def test_rules_that_are_saved_and_run_are_those_of_the_new_job(api: Api, shop: Shop) -> None:
    person, upload_id, _ = shop
    form = rules_form({**TEN.cells, "33": "promising"}, name="mine", do="run")

    answer = send_rules(api, shop, form)

    assert re.fullmatch(r"/history|/jobs/\d+", answer.headers["Location"])
    newest = api.service.database.read(
        lambda tx: jobs.newest_of_uploads(tx, [upload_id], user_id=person.user_id)
    )[upload_id]
    asked = request_from_json(newest.options)
    assert (asked.options.segments, asked.options.n_clusters) == ("mine", 5)
    assert asked.table_toml is not None
    assert parse_rules(asked.table_toml, "mine")[0].cells == {**TEN.cells, "33": "promising"}
    assert person.ask("DELETE", f"/api/jobs/{newest.id}").status_code == 200


def test_a_comparison_with_somebody_elses_analysis_is_not_there(api: Api, shop: Shop) -> None:
    stranger = api.person()
    for path in (f"{shop[2]}/compare/{shop[2]}", f"{shop[2]}/settings", f"{shop[2]}/rules"):
        assert visit(api, "GET", f"/analyses/{path}", stranger.token).status_code == 404


def test_differences_are_told_in_words() -> None:
    before = options_to_json(Options(n_clusters="auto", by="country", encoding="latin-1"))
    after = options_to_json(
        Options(n_clusters=4, returns="net", exclude=(("Country", "EIRE"),), segments="eleven")
    )

    told = differences(before, after, words("en"))

    assert set(told) == {
        ("Number of clusters", "Find the number", "4"),
        ("Returns", "Leave returns out", "Subtract returns from the money"),
        ("Leave rows out", "nothing given", "Country = EIRE"),
        ("Score apart by", "country", "nothing given"),
        (
            "Table of segments",
            "Ten segments, by recency and frequency",
            "Eleven segments, by recency, frequency and money",
        ),
        ("How the file is read", "", "differs"),
    }
