"""Without pyspark, without Java, or with a wrong address, the error says what to do."""

import importlib.util
import sys
from pathlib import Path

import pytest

from rfm_backend.errors import InvalidOption, MissingExtra, UnreadableFile
from rfm_backend.library import Resources, segment

_SALES = "customer_id,invoice_id,invoice_date,amount\nann,1,2024-01-05,10\n"


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(_SALES, "utf-8")
    return path


def test_without_pyspark_the_error_says_how_to_install_it(
    sales: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pyspark" else find(name)
    )
    monkeypatch.delitem(sys.modules, "pyspark", raising=False)

    with pytest.raises(MissingExtra, match=r"pip install 'rfm-backend\[spark\]'"):
        segment(sales, resources=Resources(engine="spark"))


def test_without_java_the_error_says_how_to_install_it(
    sales: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark", exc_type=ImportError)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))

    with pytest.raises(MissingExtra, match=r"no Java.*openjdk-17-jre-headless"):
        segment(sales, resources=Resources(engine="spark"))


def test_an_old_java_is_named(sales: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", exc_type=ImportError)
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    # As Java 8 tells it.
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_432\"' >&2\n", "utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(MissingExtra, match="there is Java 8"):
        segment(sales, resources=Resources(engine="spark"))


def test_an_address_that_is_none_is_refused(sales: Path) -> None:
    pytest.importorskip("pyspark", exc_type=ImportError)

    with pytest.raises(InvalidOption, match="no Spark master"):
        segment(sales, resources=Resources(engine="spark", spark_master="10.0.0.5:7077"))


def test_another_engine_is_refused(sales: Path) -> None:
    with pytest.raises(InvalidOption, match="no engine 'polars': say duckdb or spark"):
        segment(sales, resources=Resources(engine="polars"))


@pytest.mark.parametrize("source", ["s3a://shop/sales/", "folder"])
def test_folders_and_addresses_are_for_spark(tmp_path: Path, source: str) -> None:
    (tmp_path / "folder").mkdir()
    place = source if "://" in source else tmp_path / source

    with pytest.raises(UnreadableFile, match="--engine spark"):
        segment(place)
