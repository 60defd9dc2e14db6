"""The commands inspect, explain, train and sample."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rfm_backend.cli import rfm
from rfm_backend.sample import write_sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up shop with its results in every form."""
    folder = tmp_path_factory.mktemp("results")
    write_sample(folder / "shop.csv", rows=4_000, customers=150, seed=2)
    names = ("result.csv", "result.xlsx", "result.parquet", "result.json")
    outs = [argument for name in names for argument in ("-o", str(folder / name))]
    assert run("segment", folder / "shop.csv", *outs).exit_code == 0
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(rfm, list(map(str, arguments)))


def customers_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "result.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["result.csv", "result.xlsx", "result.parquet", "result.json"])
def test_a_result_of_any_form_explains_its_customers(folder: Path, name: str) -> None:
    row = customers_of(folder)[3]

    done = run("explain", folder / name, row["customer_id"], "--json")

    assert (done.exit_code, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["customer_id"] == row["customer_id"]
    assert told["segment"] == row["segment"]
    assert str(told["cluster"]) == row["cluster"]
    assert told["rfm_cell"] == row["rfm_cell"]
    assert str(told["recency"]["value"]) == row["recency"]
    assert str(told["monetary"]["value"]) == row["monetary"]
    # The made-up shop's last day is the last of 2025, and always has a sale.
    assert told["snapshot_date"] == "2026-01-01"


def test_all_forms_explain_alike(folder: Path) -> None:
    customer = customers_of(folder)[10]["customer_id"]

    told = {
        form: run("explain", folder / f"result.{form}", customer, "--json").stdout
        for form in ("csv", "xlsx", "parquet", "json")
    }

    assert len(set(told.values())) == 1


def test_shares_are_counted_over_the_customers_of_the_result(folder: Path) -> None:
    rows = customers_of(folder)
    row = rows[5]
    less = sum(float(one["monetary"]) < float(row["monetary"]) for one in rows)

    told = json.loads(run("explain", folder / "result.csv", row["customer_id"], "--json").stdout)

    assert told["monetary"]["share_worse"] == pytest.approx(less / len(rows))


@pytest.mark.parametrize(("lang", "title"), [("en", "Customer "), ("id", "Pelanggan ")])
def test_an_explanation_is_a_page_in_either_language(folder: Path, lang: str, title: str) -> None:
    customer = customers_of(folder)[0]["customer_id"]

    page = run("explain", folder / "result.csv", customer, "--lang", lang)

    assert page.exit_code == 0
    assert page.stdout.startswith(f"{title}{customer}\n")


def test_an_unknown_customer_ends_with_3(folder: Path) -> None:
    done = run("explain", folder / "result.csv", "nobody")

    assert (done.exit_code, done.stdout) == (3, "")
    assert "'nobody'" in done.stderr


def test_a_result_without_its_model_says_what_is_missing(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.csv"
    alone.write_bytes((folder / "result.csv").read_bytes())

    done = run("explain", alone, "10000")

    assert done.exit_code == 3
    assert "alone.model.json" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"customers": [1], "model": {}}', "no json"])
def test_a_json_file_that_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text(text)

    done = run("explain", odd, "10000")

    assert done.exit_code == 3
    assert "odd.json" in done.stderr


def test_a_table_that_is_no_result_is_refused(folder: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text("a,b\n1,2\n")
    (tmp_path / "odd.model.json").write_bytes((folder / "result.model.json").read_bytes())

    done = run("explain", odd, "1")

    assert done.exit_code == 3
    assert "odd.csv is no result" in done.stderr


def test_a_missing_result_is_named(tmp_path: Path) -> None:
    done = run("explain", tmp_path / "absent.csv", "1")

    assert done.exit_code == 3
    assert "absent.csv" in done.stderr


def test_a_customer_of_several_groups_needs_one_named(tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    lines = [
        f"{n % 20},{n},2024-0{1 + n % 9}-1{n % 9},{n % 7 + 1}.25,{'ID' if n % 3 else 'SG'}"
        for n in range(300)
    ]
    sales.write_text("customer_id,invoice_id,invoice_date,amount,country\n" + "\n".join(lines))
    run("segment", sales, "--by", "country", "-o", tmp_path / "by.csv", "-o", tmp_path / "by.json")

    for name in ("by.csv", "by.json"):
        unnamed = run("explain", tmp_path / name, "7")
        named = run("explain", tmp_path / name, "7", "--group", "SG", "--json")

        assert unnamed.exit_code == 3
        assert "--group" in unnamed.stderr
        assert json.loads(named.stdout)["group"] == "SG"


def test_inspect_shows_roles_and_problems_and_changes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}

    done = run("inspect", folder / "shop.csv")

    page = " ".join(done.stdout.split())
    assert done.exit_code == 0
    assert "csv, utf-8, cells parted by commas · header in line 1 · 10 columns" in page
    assert "customer_id CustomerID" in page
    assert "no customer:" in page
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_inspect_tells_the_line_of_the_first_problem(tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text(
        "customer_id,invoice_id,invoice_date,amount\n"
        "ann,1,2024-01-15,10.50\n"
        ",2,2024-01-16,11.50\n"
        "bob,3,2024-01-17,12.50\n"
    )

    done = run("inspect", sales, "--lang", "id")

    assert "tanpa pelanggan: 1 baris, yang pertama di baris 3" in done.stdout


def test_inspect_speaks_json(folder: Path) -> None:
    told = json.loads(run("inspect", folder / "shop.csv", "--json").stdout)

    assert told["encoding"] == "utf-8"
    assert told["plan"]["columns"]["customer_id"] == "CustomerID"
    assert len(told["first_rows"]) == 5


def test_inspect_refuses_what_is_no_table(tmp_path: Path) -> None:
    assert run("inspect", tmp_path / "absent.csv").exit_code == 3


def test_a_cell_cannot_steer_the_terminal(tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text(
        "customer_id,invoice_id,invoice_date,amount\n\x1b[31mann,1,2024-01-15,10.50\n"
        "bob,2,2024-01-17,12.50\n"
    )

    done = run("inspect", sales)

    assert done.exit_code == 0
    assert "\x1b" not in done.stdout
    assert "·[31mann" in done.stdout


def test_train_saves_the_model_where_the_setting_says(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "made" / "rfm.model"
    monkeypatch.setenv("MODEL_PATH", str(path))

    done = run("train", folder / "shop.csv", "--clusters", "4")

    assert done.exit_code == 0
    assert json.loads((tmp_path / "made" / "rfm.model.json").read_text())["seed"] == 42
    assert path.stat().st_size > 0
    assert str(path) in done.stdout


def test_training_again_replaces_the_model_and_it_can_be_applied(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "rfm.model"

    first = run("train", folder / "shop.csv", "--save-model", path, "--clusters", "3", "--quiet")
    again = run("train", folder / "shop.csv", "--save-model", path, "--clusters", "4", "--quiet")
    applied = run("segment", folder / "shop.csv", "--model", f"{path}.json", "--json")

    assert (first.exit_code, again.exit_code, again.output) == (0, 0, "")
    assert len(json.loads(applied.stdout)["clusters"]) == 4


def test_a_model_cannot_be_a_folder(folder: Path, tmp_path: Path) -> None:
    done = run("train", folder / "shop.csv", "--save-model", tmp_path / "x" / "..")

    assert done.exit_code in (1, 2)


def test_sample_writes_a_shop_and_says_what_comes_next(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"

    done = run("sample", path, "--rows", "960", "--customers", "40", "--seed", "7")

    assert done.exit_code == 0
    assert "960 rows, 40 customers, 160 invoices" in done.stdout
    assert f"rfm segment {path}" in " ".join(done.stdout.split())
    assert len(path.read_text().splitlines()) == 961


def test_sample_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("mine")

    assert run("sample", path).exit_code == 2
    assert path.read_text() == "mine"
    assert run("sample", path, "--rows", "10", "--force").exit_code == 0


@pytest.mark.parametrize("rows", ["0", "many"])
def test_sample_refuses_numbers_that_are_none(tmp_path: Path, rows: str) -> None:
    assert run("sample", tmp_path / "shop.csv", "--rows", rows).exit_code == 2
