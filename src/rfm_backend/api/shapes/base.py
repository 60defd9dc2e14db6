"""Shapes that every endpoint shares: messages, problems, pages."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Final, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, model_validator

from rfm_backend import columns as c

Item = TypeVar("Item")
# The numbers of things are 64 bits in both databases.
MOST_ID: Final = 2**63 - 1
_DIGITS: Final = re.compile("-?[0-9]{1,40}")
# A role that does not exist is refused, in words of its own, by the services.
ONLY_ROLES: Final[dict[str, JsonValue]] = {"propertyNames": {"enum": list(c.ROLES)}}


class Sent(BaseModel):
    """A body or a query: nothing unknown, and no value of another type taken for the right one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _read_whole_numbers(cls, values: object) -> object:
        # To JSON, and to a client whose language has one kind of number, 5.0 is the whole number 5.
        if not isinstance(values, dict):
            return values
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in values.items()
        }


class Query(BaseModel):
    """A query: text whose numbers are read as such."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _check_digits(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        # Python also takes 1_0, " 1" and 1.0 for whole numbers.
        for name, text in values.items():
            kind = cls.model_fields[name].annotation if name in cls.model_fields else None
            if int in (kind, *get_args(kind)) and not _DIGITS.fullmatch(text):
                message = f"{name} is written in digits"
                raise ValueError(message)
        return values


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="forbid")


def _utc(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="microseconds") + "Z"


# UTC, as 2026-11-24T08:15:30.123456Z.
Moment = Annotated[
    dt.datetime,
    PlainSerializer(_utc, return_type=str, when_used="json"),
    Field(json_schema_extra={"format": "date-time"}),
]


class Message(Told):
    """A sentence for a person."""

    message: str


class Problem(BaseModel):
    """A failure: ``code`` is for programs, ``message`` for people.

    Some carry more: ``field``, ``line``, ``reason``, ``candidates``.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    message: str
    request_id: str


class Page(Told, Generic[Item]):
    """Part of a list: ``next_cursor`` asks for what follows, null at the end."""

    items: list[Item]
    next_cursor: str | None


class PageQuery(Query):
    """Which part of a list."""

    limit: int = Field(default=100, ge=1, le=1000, description="How many at most.")
    cursor: str | None = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )
