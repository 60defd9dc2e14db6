import string
import typing

import pytest

from rfm_backend import columns as c
from rfm_backend.catalogue import words
from rfm_backend.pipeline.analysis import SetAside
from rfm_backend.progress import Stage

# What is written alike in both languages: names of methods, of formats, and words that Indonesian
# has taken over, by message.
SAME_IN_BOTH = frozenset(
    {
        "calendar.month_4",
        "calendar.month_9",
        "calendar.month_11",
        "terminal.unit_percent",
        "terminal.unit_bytes_open",
        "criteria.davies_bouldin",
        "criteria.calinski_harabasz",
        "criteria.gap_statistic",
        "web.product",
        "web.api",
        "web.language_en",
        "web.language_id",
    }
)


def fields(text: str) -> list[str]:
    return sorted(
        f"{name}:{form}" for _, name, form, _ in string.Formatter().parse(text) if name is not None
    )


def raw(language: typing.Literal["en", "id"]) -> dict[str, str]:
    return words(language)._messages


def test_both_languages_have_the_same_messages() -> None:
    assert words("en").keys() == words("id").keys()


@pytest.mark.parametrize("key", words("en").keys())
def test_a_message_has_the_same_fields_in_both_languages(key: str) -> None:
    assert fields(raw("en")[key]) == fields(raw("id")[key])


def test_no_indonesian_message_is_the_english_one() -> None:
    same = {key for key, text in raw("en").items() if raw("id").get(key) == text}

    assert same <= SAME_IN_BOTH


def test_the_list_of_equal_messages_names_only_what_is_equal() -> None:
    english, indonesian = raw("en"), raw("id")

    assert {key for key in SAME_IN_BOTH if english.get(key) != indonesian.get(key)} == set()


def test_every_reason_for_setting_rows_aside_has_words() -> None:
    listed = (SetAside.__doc__ or "").partition("is tried:")[2].partition(".")[0]
    reasons = {reason.strip() for reason in listed.replace("\n", " ").split(",")}

    assert len(reasons) == 23
    assert {reason for reason in reasons if f"reasons.{reason}" not in words("en")} == set()


def test_every_role_and_result_column_has_words() -> None:
    names = {*c.ROLES, *c.RESULT}

    assert {name for name in names if f"columns.{name}" not in words("id")} == set()


def test_every_stage_of_the_work_has_words() -> None:
    stages = typing.get_args(Stage)

    assert {stage for stage in stages if f"terminal.stage_{stage}" not in words("en")} == set()
