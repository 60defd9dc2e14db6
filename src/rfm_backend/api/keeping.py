"""Endpoints of what a user keeps under a name: /api/shops, /api/mappings, /api/segments/tables."""

from typing import Final

from rfm_backend.api.routing import Answer, Call, Shown, route
from rfm_backend.api.shapes.base import Message, Page
from rfm_backend.api.shapes.uploads import (
    FindingTold,
    MappingTold,
    NewMapping,
    NewName,
    NewTable,
    ShopTold,
    TableTold,
)
from rfm_backend.services import keeping
from rfm_backend.storage.named import SavedMapping, SavedTable, Shop

_TAG: Final = "Keeping"
_SHOP: Final = {"shop_id": 1, "name": "Shop", "created_at": "2026-11-24T08:15:30.123456Z"}
_MAPPING: Final = {
    "mapping_id": 1,
    "name": "till export",
    "columns": {"customer_id": "Buyer", "amount": "Total"},
    "created_at": "2026-11-24T08:15:30.123456Z",
}
_TOML: Final = 'dimensions = 2\nmatch = "first"\notherwise = "rest"\n\n[[segment]]\nkey = "best"\nr = [4, 5]\nf = [4, 5]\n'
_TABLE: Final = {
    "table_id": 1,
    "name": "two halves",
    "segments": ["best", "rest"],
    "cells": {"55": "best", "11": "rest"},
    "toml": _TOML,
    "created_at": "2026-11-24T08:15:30.123456Z",
    "findings": [],
}


@route(
    "GET",
    "/api/shops",
    tag=_TAG,
    scope="read",
    answers={
        200: Shown(
            shape=Page[ShopTold],
            example={"items": [_SHOP], "next_cursor": None},
            meaning="The shops; the first takes uploads that name none.",
        )
    },
)
def list_shops(call: Call) -> Answer:
    """List the shops, which group uploads that are compared over time."""
    told = [_shop(one) for one in keeping.shops(call.service, call.user.id)]
    return Answer(value=Page[ShopTold](items=told, next_cursor=None))


@route(
    "POST",
    "/api/shops",
    tag=_TAG,
    scope="write",
    body=NewName,
    body_example={"name": "Bandung"},
    answers={
        201: Shown(shape=ShopTold, example={**_SHOP, "name": "Bandung"}, meaning="The new shop.")
    },
    problems=(409,),
)
def create_shop(call: Call) -> Answer:
    """Add a shop."""
    made = keeping.add_shop(call.service, call.user.id, call.sent(NewName).name)
    return Answer(value=_shop(made), status=201)


@route(
    "GET",
    "/api/mappings",
    tag=_TAG,
    scope="read",
    answers={
        200: Shown(
            shape=Page[MappingTold],
            example={"items": [_MAPPING], "next_cursor": None},
            meaning="The mappings.",
        )
    },
)
def list_mappings(call: Call) -> Answer:
    """List the saved mappings of columns."""
    told = [_mapping(one) for one in keeping.mappings(call.service, call.user.id)]
    return Answer(value=Page[MappingTold](items=told, next_cursor=None))


@route(
    "POST",
    "/api/mappings",
    tag=_TAG,
    scope="write",
    body=NewMapping,
    body_example={
        "name": "till export",
        "columns": {"customer_id": "Buyer", "amount": "Total"},
        "upload_id": 1,
    },
    answers={201: Shown(shape=MappingTold, example=_MAPPING, meaning="The new mapping.")},
    problems=(404, 409, 422),
)
def create_mapping(call: Call) -> Answer:
    """Save which column has which role.

    With `upload_id` the mapping is offered for every file that has that upload's header.
    """
    sent = call.sent(NewMapping)
    made = keeping.add_mapping(
        call.service,
        call.user.id,
        name=sent.name,
        columns=sent.columns,
        upload_id=sent.upload_id,
    )
    return Answer(value=_mapping(made), status=201)


@route(
    "DELETE",
    "/api/mappings/<int:mapping_id>",
    tag=_TAG,
    scope="write",
    answers={200: Shown(shape=Message, example={"message": "mapping deleted"}, meaning="Done.")},
    problems=(404,),
)
def delete_mapping(call: Call) -> Answer:
    """Delete a mapping."""
    keeping.remove_mapping(call.service, call.user.id, call.path["mapping_id"])
    return Answer(value=Message(message="mapping deleted"))


@route(
    "GET",
    "/api/segments/tables",
    tag=_TAG,
    scope="read",
    answers={
        200: Shown(
            shape=Page[TableTold],
            example={"items": [_TABLE], "next_cursor": None},
            meaning="The tables; `ten` and `eleven` are built in.",
        )
    },
)
def list_segment_tables(call: Call) -> Answer:
    """List the saved segment tables."""
    told = [_table(one) for one in keeping.segment_tables(call.service, call.user.id)]
    return Answer(value=Page[TableTold](items=told, next_cursor=None))


@route(
    "POST",
    "/api/segments/tables",
    tag=_TAG,
    scope="write",
    body=NewTable,
    body_example={"name": "two halves", "toml": _TOML},
    answers={201: Shown(shape=TableTold, example=_TABLE, meaning="The new table.")},
    problems=(409, 422),
)
def create_segment_table(call: Call) -> Answer:
    """Check a segment table and save it.

    Gaps and overlaps are refused with the cells named, unless the table says `match = "first"` and has
    an `otherwise`.
    """
    sent = call.sent(NewTable)
    made = keeping.add_segment_table(call.service, call.user.id, name=sent.name, toml=sent.toml)
    return Answer(value=_table(made), status=201)


@route(
    "DELETE",
    "/api/segments/tables/<int:table_id>",
    tag=_TAG,
    scope="write",
    answers={
        200: Shown(
            shape=Message,
            example={"message": "segment table deleted"},
            meaning="Analyses made with it stay as they are.",
        )
    },
    problems=(404,),
)
def delete_segment_table(call: Call) -> Answer:
    """Delete a segment table."""
    keeping.remove_segment_table(call.service, call.user.id, call.path["table_id"])
    return Answer(value=Message(message="segment table deleted"))


def _shop(one: Shop) -> ShopTold:
    return ShopTold(shop_id=one.id, name=one.name, created_at=one.created_at)


def _mapping(one: SavedMapping) -> MappingTold:
    return MappingTold(
        mapping_id=one.id, name=one.name, columns=dict(one.roles), created_at=one.created_at
    )


def _table(one: SavedTable) -> TableTold:
    rules, findings = keeping.read_table(one)
    return TableTold(
        table_id=one.id,
        name=one.name,
        segments=list(rules.segments),
        cells=dict(rules.cells),
        toml=one.toml,
        created_at=one.created_at,
        findings=[FindingTold(code=each.code, values=dict(each.values)) for each in findings],
    )
