"""The Spark engine on a real cluster gives what DuckDB gives: rows, accounting, examples, labels.

Expected values are DuckDB's, whose own are checked against papers and other tools elsewhere.
"""

import csv
import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from spark_cluster import Cluster

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.spark import SparkEngine
from rfm_backend.errors import Cancelled, OutputExists, OutputFailed, RfmError
from rfm_backend.library import Resources, segment
from rfm_backend.output.tables import write_result_far
from rfm_backend.pipeline.lines import clean_id_sql
from rfm_backend.pipeline.mapping.dates import timestamp_sql
from rfm_backend.pipeline.mapping.numbers import number_sql
from rfm_backend.pipeline.mapping.plan import DateFormat, NumberFormat
from rfm_backend.pipeline.model import model_from_json
from rfm_backend.progress import Step
from rfm_backend.reading.source import frame_table
from rfm_backend.result import Result
from rfm_backend.stored import explain_stored

pytestmark = pytest.mark.slow

# The quick compiler and the simple collector: what runs for seconds never gives back what others take.
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.fixture(scope="module")
def far_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that stands behind the addresses viewfs://far/out/..."""
    return tmp_path_factory.mktemp("far")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, far_folder: Path) -> Iterator[Cluster]:
    """One cluster for all tests; one engine keeps the session open between them."""
    submit = (
        f"--executor-memory 512m --driver-memory 512m --driver-java-options '{_QUICK}' "
        f"--conf 'spark.executor.extraJavaOptions={_QUICK}' "
        # A file system of Hadoop that is reached by addresses, and needs no server.
        f"--conf spark.hadoop.fs.viewfs.mounttable.far.link./out=file://{far_folder} pyspark-shell"
    )
    with pytest.MonkeyPatch.context() as patch, Cluster(tmp_path_factory.mktemp("cluster")) as made:
        patch.setenv("PYSPARK_SUBMIT_ARGS", submit)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        first = SparkEngine(master=made.address, workdir=tmp_path_factory.mktemp("first"))
        made.wait_for_workers()
        yield made
        first.close()


def outcome(source: object, resources: Resources, aside: Path, **values: Any) -> object:
    """Return everything that an analysis says, or its error."""
    try:
        with segment(source, resources=resources, **values) as result:
            result.write_set_aside(aside, force=True)
            said = (result.customers.fetchall(), result.summary, aside.read_bytes())
            return (*said, result.model.edges, result.model.centres_scaled)
    except RfmError as error:
        return (type(error).__name__, error.message)


def assert_alike(
    cluster: Cluster, tmp_path: Path, source: object, *, local_customers: int = 100, **values: Any
) -> None:
    """Compare the engines on one source; of few local customers, Spark with the arrays of the other."""
    spark = Resources(engine="spark", spark_master=cluster.address, local_customers=local_customers)
    expected = outcome(source, Resources(), tmp_path / "a.csv", **values)

    assert outcome(source, spark, tmp_path / "b.csv", **values) == expected


def write_rows(path: Path, n_rows: int, *, seed: int = 7) -> None:
    """Write made-up lines of a shop, with all that can be wrong with a row among them."""
    draw = random.Random(seed)  # noqa: S311  # made-up rows, no secret
    first = dt.date(2022, 1, 1)
    # Without marks: one in a column of whole numbers would have the file read again.
    odd = ("", "n/a", "-1", "0", "abc", "1e2", "99999999999999", " 7 ", "(4)", "$5")
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(
            ["customer_id", "invoice_id", "invoice_date", "quantity", "unit_price", "note"]
        )
        for number in range(n_rows):
            day = first + dt.timedelta(days=int(draw.triangular(0, 700, 600)))
            row = [
                f"c{int(draw.paretovariate(0.7)) % (n_rows // 8 + 9)}",
                f"i{number // 3}",
                f"{day.isoformat()} {draw.randrange(24):02d}:{draw.randrange(60):02d}",
                str(draw.randint(1, 9)),
                f"{draw.paretovariate(1.1):.2f}",
                draw.choice(["", "plain", "é", "b", "c", "d", "e", "f", 'say "hello"', "a, b"]),
            ]
            if draw.random() < 0.03:
                row[draw.randrange(5)] = draw.choice(odd)
            elif draw.random() < 0.003:
                row = row[: draw.randint(1, 5)]
            rows.writerow(row)


def test_rows_give_the_same_even_where_an_executor_is_killed_in_the_middle(
    cluster: Cluster, tmp_path: Path
) -> None:
    write_rows(tmp_path / "sales.csv", 200_000)
    killed: list[int] = []

    def watch(step: Step) -> None:
        if step.stage == "read" and step.total and not killed:
            killed.append(cluster.kill_an_executor())

    spark = Resources(engine="spark", spark_master=cluster.address)
    with segment(tmp_path / "sales.csv") as result:
        expected = result.customers.fetchall(), result.summary, result.model.centres_scaled
    with segment(tmp_path / "sales.csv", resources=spark, progress=watch) as result:
        found = result.customers.fetchall(), result.summary, result.model.centres_scaled

    assert len(killed) == 1
    assert found == expected


@pytest.mark.parametrize("form", ["parquet", pytest.param("csv", marks=pytest.mark.security_long)])
def test_online_retail_is_placed_in_the_cluster_as_in_this_process(
    cluster: Cluster, data_dir: Path, tmp_path: Path, form: str
) -> None:
    source = data_dir / "online_retail" / "Online_Retail.csv"
    if form == "parquet":
        # The same cells: that a text is cut alike is seen with the made-up rows.
        text = tmp_path / "sales.csv"
        text.write_bytes(source.read_bytes().decode("latin-1").encode())
        source = tmp_path / "sales.parquet"
        duckdb.read_csv(str(text), all_varchar=True).write_parquet(str(source))
    killed: list[int] = []

    def watch(step: Step) -> None:
        if form == "csv" and step.stage == "cluster" and not killed:
            killed.append(cluster.kill_an_executor())

    spark = Resources(engine="spark", spark_master=cluster.address, local_customers=1)
    with segment(source) as result:
        expected = result.customers.fetchall(), result.summary, result.model
        explained = result.explain("12346")
    with segment(source, resources=spark, progress=watch) as result:
        found = result.summary, result.model
        result.to_parquet(tmp_path / "segments.parquet")
        # Before anything brings the customers into this process.
        assert result.explain("12346") == explained

    assert len(killed) == (form == "csv")
    assert found == expected[1:]
    parts = sorted(part.name for part in (tmp_path / "segments.parquet").iterdir())
    assert parts == [f"part-{number:05}.parquet" for number in range(len(parts))]
    assert _parts(tmp_path / "segments.parquet") == expected[0]
    # The model stands beside the parts, and explains their customers.
    assert explain_stored(tmp_path / "segments.parquet", "12346", group=None) == explained


def test_a_run_that_is_cancelled_stops_in_the_cluster_too(cluster: Cluster, tmp_path: Path) -> None:
    write_rows(tmp_path / "sales.csv", 20_000)

    def stop(step: Step) -> None:
        if step.stage == "read" and step.total:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        segment(
            tmp_path / "sales.csv",
            resources=Resources(engine="spark", spark_master=cluster.address),
            progress=stop,
        )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        # Placed in the cluster: three customers are more than one.
        (
            "odd.csv",
            {
                "returns": "net",
                "duplicates": "drop",
                "by": "shop",
                "keep": ("note",),
                "local_customers": 1,
            },
        ),
        pytest.param("broken.csv", {}, marks=pytest.mark.security_long),
        # The long form: 130 names of months make an expression that takes its time.
        pytest.param("months.csv", {"returns": "match"}, marks=pytest.mark.security_long),
        pytest.param("times.csv", {}, marks=pytest.mark.security_long),
    ],
)
def test_odd_files_and_options_give_the_same(
    cluster: Cluster, tmp_path: Path, name: str, values: dict[str, Any]
) -> None:
    (tmp_path / name).write_text(_ODD[name], "utf-8")

    assert_alike(cluster, tmp_path, tmp_path / name, **values)


def test_a_folder_of_files_is_one_table_and_a_result_goes_to_an_address(
    cluster: Cluster, tmp_path: Path, far_folder: Path
) -> None:
    folder = tmp_path / "sales"
    folder.mkdir()
    head, *lines = _ODD["odd.csv"].splitlines(keepends=True)
    (folder / "a.csv").write_text(head + "".join(lines[:5]), "utf-8")
    (folder / "b.csv").write_text(head + "".join(lines[5:]), "utf-8")
    (folder / "_SUCCESS").write_text("", "utf-8")
    spark = Resources(engine="spark", spark_master=cluster.address, local_customers=1)

    with (
        segment([folder / "a.csv", folder / "b.csv"]) as expected,
        segment(folder, resources=spark) as result,
    ):
        write_result_far(result.analysis, "viewfs://far/out/segments.parquet")
        with pytest.raises(OutputExists, match="viewfs://far/out/segments"):
            write_result_far(result.analysis, "viewfs://far/out/segments.parquet")
        with pytest.raises(OutputFailed, match="nowhere://x/y"):
            write_result_far(result.analysis, "nowhere://x/y.parquet")

        written = _parts(far_folder / "segments.parquet")
        assert written == expected.customers.fetchall()
        model = (far_folder / "segments.model.json").read_text("utf-8")
        assert model_from_json(model) == expected.model
        assert result.customers.fetchall() == written
        # Brought into this process, the customers are written from there.
        write_result_far(result.analysis, "viewfs://far/out/segments.parquet", force=True)
        assert _parts(far_folder / "segments.parquet") == written
        assert result.quality.rows_read == expected.quality.rows_read
        assert _reasons(result) == _reasons(expected)


def _parts(folder: Path) -> list[tuple[Any, ...]]:
    """Return the customers of a folder of parts, part after part."""
    relation = duckdb.sql(f"FROM '{folder}/*.parquet'")
    assert relation is not None
    return relation.fetchall()


def _reasons(result: Result) -> list[tuple[str, int, Decimal | None]]:
    return [(entry.reason, entry.rows, entry.amount) for entry in result.quality.set_aside]


def test_parquet_with_types_is_read_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "sales.parquet"
    made = duckdb.sql(
        "SELECT (i % 37)::DOUBLE AS customer_id, i // 2 AS invoice_id, "
        "TIMESTAMP '2024-01-01' + to_hours((i * 7)::INT) AS invoice_date, (i % 5 - 1)::INT AS quantity, "
        "CASE WHEN i % 50 = 0 THEN 'nan'::DOUBLE ELSE i / 7 END AS unit_price, "
        "(i / 3)::DECIMAL(9, 4) AS other FROM range(500) t(i)"
    )
    assert made is not None
    made.write_parquet(str(path))

    assert_alike(cluster, tmp_path, path)


def test_numbers_dates_and_ids_are_read_alike(cluster: Cluster, tmp_path: Path) -> None:
    made = duckdb.sql("SELECT unnest($1) AS text", params=[_texts()])
    table = frame_table(made)
    dates = DateFormat(
        order="dmy",
        patterns=("%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%y", "%d.%m.%Y %I:%M:%S %p", "%d %m %Y"),
        months={"mei": 5, "maret": 3, "mar": 3},
        serial_epoch=1900,
    )
    read = (
        number_sql("text", NumberFormat(decimal=".")),
        number_sql("text", NumberFormat(decimal=",")),
        timestamp_sql("text", dates),
        timestamp_sql("text", DateFormat(has_offsets=True), timezone="Europe/London"),
        clean_id_sql("text", lower=True),
    )
    shown = ", ".join(f"CAST({sql} AS VARCHAR) AS c{place}" for place, sql in enumerate(read))
    in_spark = SparkEngine(master=cluster.address, workdir=tmp_path)
    in_process = DuckDBEngine(workdir=tmp_path)

    found, expected = (
        engine.rows(
            f"SELECT * FROM (SELECT place, text, {shown} FROM {engine.scan(table, ('text',), ordinal='place')}) "
            "ORDER BY place"
        )
        for engine in (in_spark, in_process)
    )
    in_spark.close()
    in_process.close()

    assert found == expected
    # Each column reads something, else it would agree on nothing.
    assert all(sum(row[place] is not None for row in found) > 20 for place in range(2, 7))


def _texts() -> list[str]:
    """Return texts that are numbers, dates and ids, nearly so, or not at all."""
    draw = random.Random(3)  # noqa: S311  # made-up texts, no secret
    parts = (
        *("1", "12", "123", "0", "5", "2024", "31", "02", "29", "69", "68"),
        *(".", ",", "-", "+", "/", " ", ":", "T", "e", "(", ")", "_", "Rp ", "$", "kr", "ZŁ", "'"),
        *(
            "\u00a0",
            "\u202f",
            "\u3000",
            "\t",
            "\x0b",
            "\n",
            "١",
            "１",
            "é",
            "e\u0301",
            "Σ",
            "İ",
            "null",
        ),
    )
    dates = [
        f"{day}{sep}{month}{sep}{year}{time}{zone}"
        for sep in "/-. "
        for day, month in (("31", "1"), ("29", "02"), ("5", "mei"), ("05", "Maret"), ("13", "13"))
        for year in ("2023", "2024", "24", "69", "7")
        for time, zone in (("", ""), (" 24:00", ""), ("  9:05", "Z"), (" 12:30:00 am", ""))
    ]
    iso = [
        f"{day}{time}{zone}"
        for day in ("2024-02-29", "2023-02-29", "2024-1-5", "0024-01-05", "9998-12-31")
        for time in ("", " 24:00", "T23:59:59.9999999", "  1:02", " T1:02", " 10:00:60", " 25:00")
        for zone in ("", "Z", "+07:00", " UTC", "-0330")
    ]
    numbers = ["1.5e3", "1e400", "5e-7", "999999999999.9999994", "999999999999.9999995", "1d", "NaN", "0x1F",
               "1.234.567,89", "1,234,567.89", "(Rp 5)", "5-", ".5", "5.", "45000.999999", "60", "N/A"]  # fmt: skip
    mixed = ["".join(draw.choice(parts) for _ in range(draw.randint(1, 6))) for _ in range(400)]
    return [*numbers, *dates, *iso, *mixed]


_ODD = {
    "odd.csv": (
        "customer,order,date,amount,shop,note\n"
        "ann,1,2024-01-05,10.00,a,x\n"
        "ann,1,2024-01-05,10.00,a,x\n"
        '"ann ",2,2024-02-30,5,a,"say ""hi"", all"\n'
        "e\u0301va,3,2024-01-06 24:00,7.5,b,\n"
        "\u00e9va,4,2024-01-07T09:30:00Z,7.5,b,later\n"
        "\n"
        "bob,5,2024-03-01,-3,a,back\n"
        "bob,6,2024-03-02,2,a,few\n"
        "cy,7,2024-03-03\n"
        "N/A,8,2024-03-03,1,a,\n"
        "dora,9,2024-03-04,\u00a012.5 ,b,$1 \\\\1\n"
    ),
    "months.csv": (
        "Pelanggan;Faktur;Tanggal;Produk;Jumlah;Harga\n"
        "ani;1;5 Mei 2024;teh;2;Rp 10.000,50\n"
        "ani;2;06 maret 2024;teh;-2;Rp 10.000,50\n"
        "ani;3;7 Agu 2024;teh;-2;Rp 10.000,50\n"
        "budi;4;31 Desember 2023;kopi;1;Rp 1.250.000\n"
        "budi;5;31 April 2024;kopi;1;Rp 5.000\n"
        "citra;6;1 Jan 24;kopi;3;5.000 IDR\n"
    ),
    "times.csv": (
        "customer,order,date,time,total\n"
        "a,1,25/01/2024,13:08,10\nb,2,05/01/2024,1:08 PM,11\nb,3,6/1/2024,0.5,11\nc,4,26/01/2024,,11\nd,5,26/01/2024,x,1\n"
    ),
    # A cell of two lines, which only the engine in the process cuts.
    "broken.csv": 'customer,order,date,amount\na,1,2024-01-05,"1"\n"b\nc",2,2024-01-06,2\nd,3,2024-01-07,3,4\n',
}
