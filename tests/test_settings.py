from dataclasses import fields
from pathlib import Path

import pytest

from rfm_backend.errors import InvalidOption
from rfm_backend.settings import (
    SETTINGS,
    ServiceSettings,
    Settings,
    is_memory_size,
    parse_env_lines,
    read_service_settings,
    read_settings,
)


def test_without_any_variable_each_setting_has_its_default() -> None:
    found = read_settings({}, env_file=None)

    assert found == Settings(
        model_path=Path("model/rfm_kmeans.model"),
        memory_limit=None,
        threads=None,
        engine="duckdb",
        spark_master="",
        spark_folder="",
        local_customers=2_000_000,
        language="en",
        debug=False,
        no_color=False,
    )


def test_every_setting_is_read_from_its_variable() -> None:
    found = read_settings(
        {
            "MODEL_PATH": "/models/shop.model",
            "RFM_MEMORY_LIMIT": "1.5GB",
            "RFM_THREADS": "3",
            "RFM_ENGINE": "spark",
            "SPARK_MASTER": "spark://10.0.0.5:7077",
            "SPARK_FOLDER": "s3a://shop/tmp",
            "RFM_LOCAL_CUSTOMERS": "300",
            "RFM_LANG": "id",
            "RFM_DEBUG": "1",
            "NO_COLOR": "0",
        },
        env_file=None,
    )

    assert found == Settings(
        model_path=Path("/models/shop.model"),
        memory_limit="1.5GB",
        threads=3,
        engine="spark",
        spark_master="spark://10.0.0.5:7077",
        spark_folder="s3a://shop/tmp",
        local_customers=300,
        language="id",
        debug=True,
        no_color=True,
    )


def test_an_empty_variable_counts_as_one_that_is_not_set(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("RFM_LANG=id\nRFM_THREADS=\n")

    found = read_settings({"RFM_LANG": "", "MODEL_PATH": "", "NO_COLOR": ""}, env_file=env_file)

    assert (found.language, found.threads, found.no_color) == ("id", None, False)
    assert found.model_path == Path("model/rfm_kmeans.model")


def test_the_environment_beats_the_env_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("RFM_THREADS=2\nRFM_LANG=id\n")

    found = read_settings({"RFM_THREADS": "7"}, env_file=env_file)

    assert (found.threads, found.language) == (7, "id")


def test_a_missing_env_file_is_no_error(tmp_path: Path) -> None:
    assert read_settings({}, env_file=tmp_path / "absent") == Settings()


def test_an_env_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"MODEL_PATH=\xe9\n")

    with pytest.raises(InvalidOption, match="UTF-8"):
        read_settings({}, env_file=env_file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RFM_THREADS", "0"),
        ("RFM_THREADS", "two"),
        ("RFM_THREADS", "-1"),
        ("RFM_MEMORY_LIMIT", "much"),
        ("RFM_MEMORY_LIMIT", "1.5"),
        ("RFM_LANG", "de"),
        ("RFM_DEBUG", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(InvalidOption, match=name):
        read_settings({name: value}, env_file=None)


def test_env_lines_may_have_comments_quotes_and_export() -> None:
    text = (
        "# a shop\n"
        "\n"
        "PLAIN=value\n"
        "SPACED = a b  # not this\n"
        "export EXPORTED='single # kept'\n"
        'DOUBLE="two words"\n'
        "HASH=abc#def\n"
        "EMPTY=\n"
        "EQUALS=a=b\n"
        "no assignment here\n"
    )

    assert parse_env_lines(text) == {
        "PLAIN": "value",
        "SPACED": "a b",
        "EXPORTED": "single # kept",
        "DOUBLE": "two words",
        "HASH": "abc#def",
        "EMPTY": "",
        "EQUALS": "a=b",
    }


@pytest.mark.parametrize("text", ["1.5GB", "800MB", "2GiB", "64 kb", "1TB"])
def test_a_size_has_a_number_and_a_unit(text: str) -> None:
    assert is_memory_size(text)


@pytest.mark.parametrize("text", ["", "GB", "1.5", "-1GB", "1,5GB", "1.5GB extra", "50%"])
def test_other_texts_are_no_sizes(text: str) -> None:
    assert not is_memory_size(text)


def test_the_table_has_a_row_for_every_field_and_words_for_every_row() -> None:
    kinds = {"analysis": Settings, "service": ServiceSettings}
    for door, kind in kinds.items():
        rows = {row.field for row in SETTINGS if row.door == door}
        assert rows == {field.name for field in fields(kind)} - {"analysis"}
    assert all(row.help.endswith(".") for row in SETTINGS)


def test_the_service_has_the_documented_defaults() -> None:
    assert read_service_settings({}, env_file=None) == ServiceSettings()


def test_the_service_reads_its_variables_and_hides_its_secrets() -> None:
    found = read_service_settings(
        {
            "FLASK_ENV": "development",
            "SECRET_KEY": "s3cret",
            "DB_HOST": "db.example",
            "DB_PASS": "p@ss#w/rd",
            "DB_SSL_CA": __file__,
            "PORT": "8080",
            "RFM_MAX_UPLOAD_BYTES": "1.5MB",
            "RFM_QUOTA_BYTES": "1024",
            "RFM_KEEP_DAYS": "30",
            "RFM_KEEP_ANALYSES": "3",
            "CORS_ORIGINS": "https://a.example, https://b.example",
            "RFM_LANG": "id",
        },
        env_file=None,
    )

    assert found.is_development
    assert (found.db_host, found.db_pass, found.port) == ("db.example", "p@ss#w/rd", 8080)
    assert found.db_ssl_ca == Path(__file__)
    assert (found.max_upload_bytes, found.quota_bytes) == (1_500_000, 1024)
    assert (found.keep_days, found.keep_analyses, found.analysis.language) == (30, 3, "id")
    assert found.cors_origins == ("https://a.example", "https://b.example")
    assert "s3cret" not in repr(found)
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("FLASK_ENV", "testing"),
        ("PORT", "70000"),
        ("RFM_MAX_UPLOAD_BYTES", "much"),
        ("RFM_MAX_UPLOAD_BYTES", "0"),
        ("RFM_QUOTA_FILES", "0"),
        ("RFM_SYNC_WAIT", "-1"),
        ("RFM_REGISTRATION", "maybe"),
        ("DB_SSL_CA", "no/such/file.pem"),
    ],
)
def test_a_value_that_the_service_cannot_use_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidOption, match=name):
        read_service_settings({name: text}, env_file=None)
