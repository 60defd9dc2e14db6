"""The command `rfm segment`, from its options to its files."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rfm_backend.cli import rfm
from rfm_backend.sample import write_sample


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up shop of 4,000 rows."""
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(path, rows=4_000, customers=150, seed=2)
    return path


def segment(*arguments: str | Path, color: bool = False) -> Result:
    return CliRunner().invoke(rfm, ["segment", *map(str, arguments)], color=color)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_file_alone_gives_a_summary_and_writes_nothing(shop: Path) -> None:
    before = sorted(shop.parent.iterdir())

    done = segment(shop)

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("Customer segments of shop.csv\n")
    assert "Nothing was written" in done.stdout
    assert sorted(shop.parent.iterdir()) == before


def test_the_numbers_of_online_retail_are_shown(data_dir: Path, tmp_path: Path) -> None:
    # Every figure is from DESIGN.md, "Numbers to hold".
    out = tmp_path / "segments.csv"

    done = segment(data_dir / "online_retail" / "Online_Retail.csv", "-o", out)

    page = " ".join(done.stdout.split())
    assert done.exit_code == 0
    for shown in (
        "4,338 customers · 18,532 invoices · 1 December 2010 to 9 December 2011",
        "days counted to 10 December 2011",
        "read 541,909 100.0 % 9,747,747.93",
        "kept 397,884 73.4 % 8,911,407.90",
        "no customer 135,080 24.9 % 1,447,682.12",
        "quantity not above zero 8,905 1.6 % -611,342.09",
        "unit price not above zero 40 0.0 % 0.00",
        "Hibernating 1,335",
        "Champions 507",
    ):
        assert shown in page
    rows = {row["customer_id"]: row for row in rows_of(out)}
    assert len(rows) == 4338
    assert (rows["12346"]["recency"], rows["12346"]["frequency"]) == ("326", "1")
    assert rows["12346"]["monetary"] == "77183.6"


def test_each_ending_writes_its_form_and_the_model_beside_it(shop: Path, tmp_path: Path) -> None:
    names = ("one.csv", "one.xlsx", "two.parquet", "three.json")
    wanted = [argument for name in names for argument in ("-o", tmp_path / name)]

    done = segment(shop, *wanted)

    assert done.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "one.csv", "one.model.json", "one.xlsx", "three.json", "two.model.json", "two.parquet",
    ]  # fmt: skip
    assert (tmp_path / "one.xlsx").read_bytes()[:2] == b"PK"
    assert (tmp_path / "two.parquet").read_bytes()[:4] == b"PAR1"
    assert len(json.loads((tmp_path / "three.json").read_text())["customers"]) == len(
        rows_of(tmp_path / "one.csv")
    )
    for name in names:
        assert str(tmp_path / name) in done.stdout


def test_rows_on_standard_output_leave_the_summary_to_standard_error(
    shop: Path, tmp_path: Path
) -> None:
    out = tmp_path / "same.csv"

    piped = segment(shop, "-o", "-")
    segment(shop, "-o", out)

    assert piped.exit_code == 0
    assert piped.stdout_bytes == out.read_bytes()
    assert piped.stderr.startswith("Customer segments of shop.csv")


def test_the_json_summary_is_all_of_standard_output(shop: Path) -> None:
    done = segment(shop, "--json")

    told = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert told["quality"]["rows_read"] == 4_000
    assert sum(one["n_customers"] for one in told["segments"]) == told["quality"]["n_customers"]


def test_quiet_says_nothing(shop: Path, tmp_path: Path) -> None:
    done = segment(shop, "-o", tmp_path / "x.csv", "--quiet")

    assert (done.exit_code, done.output) == (0, "")
    assert (tmp_path / "x.csv").exists()


def test_standard_output_carries_one_thing_only(shop: Path) -> None:
    done = segment(shop, "-o", "-", "--json")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "not both" in done.stderr


_ENDINGS = {
    "-o": "csv",
    "--report": "html",
    "--set-aside": "csv",
    "--save-map": "toml",
    "--save-model": "json",
}


@pytest.mark.parametrize(("option", "ending"), _ENDINGS.items())
def test_a_name_that_says_something_else_is_refused_before_the_work_begins(
    tmp_path: Path, option: str, ending: str
) -> None:
    done = segment(tmp_path / "absent.csv", option, tmp_path / "out.txt")

    assert done.exit_code == 2
    assert f".{ending}" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("option", "ending"), _ENDINGS.items())
def test_a_file_that_is_there_stops_the_command_before_the_work_begins(
    tmp_path: Path, option: str, ending: str
) -> None:
    taken = tmp_path / f"taken.{ending}"
    taken.write_text("mine")

    # Were the input opened first, the missing file would be the complaint (3).
    done = segment(tmp_path / "absent.csv", option, taken)

    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert taken.read_text() == "mine"


def test_a_model_that_stands_beside_stops_the_command_too(tmp_path: Path) -> None:
    (tmp_path / "out.model.json").write_text("mine")

    done = segment(tmp_path / "absent.csv", "-o", tmp_path / "out.csv")

    assert done.exit_code == 2
    assert "out.model.json" in done.stderr


def test_force_replaces_files(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")

    done = segment(shop, "-o", out, "--force")

    assert done.exit_code == 0
    assert out.read_text().startswith("customer_id,")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "out.doc"], ".csv, .xlsx, .parquet, .json"),
        (["-o", "a.csv", "-o", "a.csv"], "twice"),
        (["-o", "shop.csv", "--force"], "is the input"),
        (["--map", "customer_id"], "ROLE=COLUMN"),
        (["--map", "buyer=Name"], "'buyer' is no role"),
        (["--map", "amount=A", "--map", "amount=B"], "two columns for amount"),
        (["--exclude", "Country"], "COLUMN=VALUE"),
        (["--clusters", "1"], "2 to 50"),
        (["--clusters", "51"], "2 to 50"),
        (["--clusters", "many"], "auto"),
        (["--snapshot-date", "31-12-2024"], "2024-12-31"),
        (["--since", "2024-02-30"], "no day"),
        (["--since", "2024-02-02", "--until", "2024-02-01"], "2024-02-02"),
        (["--memory-limit", "much"], "1.5GB"),
        (["--threads", "0"], "0"),
        (["--currency", "Rupiah"], "IDR"),
        (["--lang", "de"], "de"),
        (["--seed", "-1"], "-1"),
        (["--use-map", "absent.toml"], "absent.toml"),
        (["--segments", "absent.toml"], "absent.toml"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_write(
    shop: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.csv").write_bytes(shop.read_bytes())

    done = segment("shop.csv", *arguments)

    # A table that does not exist is an input that cannot be used.
    assert done.exit_code == (3 if "--segments" in arguments else 2)
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_a_missing_folder_stops_the_command_before_the_work_begins(tmp_path: Path) -> None:
    done = segment(tmp_path / "absent.csv", "-o", tmp_path / "nowhere" / "out.csv")

    assert done.exit_code == 1
    assert "nowhere does not exist" in done.stderr


def test_no_file_is_wrong_usage() -> None:
    assert segment().exit_code == 2


def test_an_input_that_cannot_be_used_ends_with_3(tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text("invoice_date,amount\n2024-01-15,10.50\n2024-01-16,11.50\n")

    done = segment(odd)

    assert (done.exit_code, done.stdout) == (3, "")
    assert "customer_id=COLUMN" in done.stderr


def test_standard_input_is_read_and_named_by_a_dash(shop: Path) -> None:
    done = CliRunner().invoke(rfm, ["segment", "-", "--json"], input=shop.read_bytes())

    assert done.exit_code == 0
    assert json.loads(done.stdout)["quality"]["rows_read"] == 4_000


def test_standard_input_is_read_once(shop: Path) -> None:
    assert segment("-", "-").exit_code == 2


def test_several_files_make_one_analysis(shop: Path, tmp_path: Path) -> None:
    head, *lines = shop.read_text().splitlines(keepends=True)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(head + "".join(lines[:2_000]))
    second.write_text(head + "".join(lines[2_000:]))

    whole = json.loads(segment(shop, "--json").stdout)
    halves = json.loads(segment(first, second, "--json").stdout)

    assert halves["quality"]["files"] == ["first.csv", "second.csv"]
    assert halves["segments"] == whole["segments"]
    assert halves["quality"]["amount_kept"] == whole["quality"]["amount_kept"]


def test_a_saved_map_reads_the_next_export_the_same_way(tmp_path: Path) -> None:
    sales = tmp_path / "odd.csv"
    # Nothing in these headers tells which column is which.
    lines = [f"{n % 30},{n},2024-0{1 + n % 9}-1{n % 9},{n % 7 + 1}.25" for n in range(300)]
    sales.write_text("a,b,c,d\n" + "\n".join(lines) + "\n")
    roles = ("customer_id=a", "invoice_id=b", "invoice_date=c", "amount=d")
    maps = [argument for role in roles for argument in ("--map", role)]
    saved = tmp_path / "map.toml"

    by_hand = segment(sales, *maps, "--save-map", saved, "--json")
    by_map = segment(sales, "--use-map", saved, "--json")

    assert by_hand.exit_code == by_map.exit_code == 0
    assert json.loads(by_map.stdout) == json.loads(by_hand.stdout)
    assert 'customer_id = "a"' in saved.read_text()


def test_map_goes_before_use_map(shop: Path, tmp_path: Path) -> None:
    saved = tmp_path / "map.toml"
    saved.write_text('[columns]\ncustomer_id = "Country"\n')

    by_country = json.loads(segment(shop, "--use-map", saved, "--json").stdout)
    by_customer = json.loads(
        segment(shop, "--use-map", saved, "--map", "customer_id=CustomerID", "--json").stdout
    )

    assert by_country["quality"]["n_customers"] <= 7
    assert by_customer["quality"]["n_customers"] > 100


def test_rows_set_aside_are_written_with_their_line_and_reason(shop: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside.csv"

    told = json.loads(segment(shop, "--set-aside", aside, "--json").stdout)["quality"]

    rows = rows_of(aside)
    assert len(rows) == told["rows_read"] - told["rows_kept"]
    counted = {one["reason"]: one["rows"] for one in told["set_aside"]}
    assert {reason: sum(row["reason"] == reason for row in rows) for reason in counted} == counted
    lines = shop.read_text().splitlines()
    blank = next(row for row in rows if row["reason"] == "no_customer")
    assert lines[int(blank["line"]) - 1].split(",")[6] == ""


def test_a_saved_model_gives_the_same_labels_on_the_same_file(shop: Path, tmp_path: Path) -> None:
    fitted, applied = tmp_path / "fitted.csv", tmp_path / "applied.csv"

    segment(shop, "-o", fitted, "--save-model", tmp_path / "model.json")
    done = segment(shop, "-o", applied, "--model", tmp_path / "model.json")

    assert done.exit_code == 0
    assert applied.read_bytes() == fitted.read_bytes()


def test_a_day_and_an_exclusion_reach_the_analysis(shop: Path) -> None:
    told = json.loads(
        segment(
            shop, "--snapshot-date", "2025-06-30", "--exclude", "CustomerID=GUEST",
            "--clusters", "3", "--seed", "7", "--json",
        ).stdout
    )  # fmt: skip

    reasons = {one["reason"] for one in told["quality"]["set_aside"]}
    assert {"excluded", "after_snapshot"} <= reasons
    assert told["quality"]["snapshot_date"] == "2025-06-30"
    assert (len(told["clusters"]), told["seed"]) == (3, 7)


def test_the_summary_speaks_indonesian_when_asked(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_option = segment(shop, "--lang", "id").stdout
    monkeypatch.setenv("RFM_LANG", "id")
    by_setting = segment(shop).stdout

    assert by_option.startswith("Segmen pelanggan dari shop.csv\n")
    assert by_setting.splitlines()[:-1] == by_option.splitlines()[:-1]


def test_a_setting_that_cannot_be_used_is_named(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RFM_THREADS", "some")

    done = segment(shop)

    assert done.exit_code == 2
    assert "RFM_THREADS" in done.stderr


def test_the_page_is_at_most_sixty_lines_of_a_hundred_columns(shop: Path, tmp_path: Path) -> None:
    lines = segment(shop, "-o", tmp_path / "x.csv").stdout.splitlines()

    assert len(lines) <= 60
    assert max(len(line) for line in lines) <= 100


def test_a_page_that_is_no_terminal_has_no_colours(shop: Path) -> None:
    assert "\x1b" not in segment(shop, color=True).output
