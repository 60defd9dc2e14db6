"""How the first values of a file would be read under each choice, and how many rows it has; by hand."""

from pathlib import Path

from rfm_backend import inspect

SALES = [
    "Pelanggan;Tanggal;Total",
    "budi;03/04/2024 10:15;Rp 10.000",
    "sari;04/05/2024 11:00;Rp 12.500",
    "budi;03/04/2024 10:15;Rp 9.750",
]


def write(folder: Path, lines: list[str], codec: str = "utf-8") -> Path:
    path = folder / "sales.csv"
    path.write_bytes("\n".join(lines).encode(codec))
    return path


def test_each_choice_shows_what_it_would_read(tmp_path: Path) -> None:
    when, much = inspect(write(tmp_path, SALES)).readings

    # Different values, in their order; Indonesian headers say that the day comes first.
    assert (when.column, when.texts) == ("Tanggal", ("03/04/2024 10:15", "04/05/2024 11:00"))
    assert when.dates == {
        "found": ("2024-04-03 10:15:00", "2024-05-04 11:00:00"),
        "dmy": ("2024-04-03 10:15:00", "2024-05-04 11:00:00"),
        "mdy": ("2024-03-04 10:15:00", "2024-04-05 11:00:00"),
        "ymd": (None, None),
    }
    # The rupiah has its thousands before a point.
    assert much.numbers == {
        "found": ("10000.000000", "12500.000000", "9750.000000"),
        ".": ("10.000000", "12.500000", "9.750000"),
        ",": ("10000.000000", "12500.000000", "9750.000000"),
    }


def test_what_cannot_be_decided_has_no_reading_until_it_is_chosen(tmp_path: Path) -> None:
    lines = ["customer,date,amount", "a,03/04/2024,1.50", "b,05/06/2024,2.25"]

    found = inspect(write(tmp_path, lines))

    assert found.plan is None
    assert (found.roles["invoice_date"], found.level) == ("date", "lines")
    (when, _) = found.readings
    assert "found" not in when.dates
    assert when.dates["mdy"] == ("2024-03-04 00:00:00", "2024-05-06 00:00:00")


def test_columns_that_compete_are_named_and_the_first_is_shown(tmp_path: Path) -> None:
    lines = ["customer,date,amount,amount", "a,2024-01-05,1,2", "b,2024-01-06,3,4"]

    found = inspect(write(tmp_path, lines))

    assert found.plan is None
    assert found.roles["amount"] == "amount"
    (problem,) = found.problems
    assert (problem.role, problem.columns) == ("amount", ("amount", "amount_2"))


def test_rows_of_a_long_file_are_told_about_and_of_a_short_one_exactly(tmp_path: Path) -> None:
    rows = [f"c{n % 90:03},2024-01-{1 + n % 28:02},{n % 50}.5" for n in range(20_000)]

    for codec in ("utf-8", "utf-16-le", "utf-8-sig"):
        mark = "\ufeff" if codec == "utf-16-le" else ""
        long = inspect(write(tmp_path, [f"{mark}customer,date,amount", *rows], codec))
        assert abs(long.rows_about - 20_000) < 400
    assert inspect(write(tmp_path, ["customer,date,amount", *rows[:700]])).rows_about == 700
