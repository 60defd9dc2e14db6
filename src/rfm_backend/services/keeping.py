"""What a user keeps under a name: shops, mappings of columns, segment tables.

In:  a `Service`, a user's number.
Out: rows; segment tables are checked before they are kept.
"""

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend import columns as c
from rfm_backend.errors import InvalidRequest, NotAllowed, NotFound
from rfm_backend.pipeline.analysis import Finding
from rfm_backend.pipeline.rules import BUILT_IN_TABLES, RuleTable, parse_rules
from rfm_backend.services.previews import header_of
from rfm_backend.services.service import Service
from rfm_backend.services.uploads import get
from rfm_backend.storage import named, uploads
from rfm_backend.storage.named import SavedMapping, SavedTable, Shop

_MOST_NAME: Final = 100


def shops(service: Service, user_id: int) -> list[Shop]:
    """Return a user's shops."""
    return service.database.read(lambda tx: named.shops(tx, user_id))


def add_shop(service: Service, user_id: int, name: str) -> Shop:
    """Add a shop.

    Raises
    ------
    AlreadyTaken
        He has one of this name.
    """

    def unit(tx: Connection) -> Shop:
        shop_id = named.add(tx, Shop, user_id=user_id, name=checked_name(name))
        made = named.shop(tx, shop_id, user_id=user_id)
        assert made is not None
        return made

    return service.database.write(unit)


def uploads_by_shop(service: Service, user_id: int) -> Mapping[int, int]:
    """Return how many uploads each of a user's shops has."""
    return service.database.read(lambda tx: uploads.count_by_shop(tx, user_id))


def rename_shop(service: Service, user_id: int, shop_id: int, name: str) -> None:
    """Give a shop another name.

    Raises
    ------
    NotFound
        There is none of this number.
    AlreadyTaken
        He has one of this name.
    """

    def unit(tx: Connection) -> None:
        if named.shop(tx, shop_id, user_id=user_id) is None:
            raise _no_shop()
        named.rename(tx, Shop, shop_id, user_id=user_id, name=checked_name(name))

    service.database.write(unit)


def remove_shop(service: Service, user_id: int, shop_id: int) -> None:
    """Delete a shop.

    Raises
    ------
    NotFound
        There is none of this number.
    NotAllowed
        It has uploads, or it is the only one: an upload needs a shop.
    """

    def unit(tx: Connection) -> None:
        if named.shop(tx, shop_id, user_id=user_id) is None:
            raise _no_shop()
        if len(named.shops(tx, user_id)) == 1:
            raise NotAllowed("This is the only shop: an upload needs one.", reason="only_shop")
        if not named.remove_empty_shop(tx, shop_id, user_id=user_id):
            raise NotAllowed(
                "The shop has uploads: delete them, or give them to another shop, before.",
                reason="shop_in_use",
            )

    service.database.write(unit)


def mappings(service: Service, user_id: int) -> list[SavedMapping]:
    """Return a user's mappings."""
    return service.database.read(lambda tx: named.mappings(tx, user_id))


def add_mapping(
    service: Service,
    user_id: int,
    *,
    name: str,
    columns: Mapping[str, str],
    upload_id: int | None,
    sheet: str | None = None,
) -> SavedMapping:
    """Keep a mapping, offered for files with the header of an upload, or of one sheet of it.

    Raises
    ------
    InvalidRequest
        A role that does not exist.
    NotFound
        There is no such upload.
    AlreadyTaken
        There is a mapping of this name.
    """
    unknown = sorted(set(columns) - set(c.ROLES))
    if unknown:
        raise InvalidRequest(
            f"There is no role {unknown[0]!r}. The roles are: {', '.join(c.ROLES)}.",
            field="columns",
        )
    text = json.dumps(dict(columns), ensure_ascii=False)
    mark = None
    if upload_id is not None:
        mark = header_of(service, get(service, user_id, upload_id), sheet)

    def unit(tx: Connection) -> SavedMapping:
        mapping_id = named.add(
            tx,
            SavedMapping,
            user_id=user_id,
            name=checked_name(name),
            columns=text,
            header_hash=mark,
        )
        return next(one for one in named.mappings(tx, user_id) if one.id == mapping_id)

    return service.database.write(unit)


def segment_tables(service: Service, user_id: int) -> list[SavedTable]:
    """Return a user's segment tables."""
    return service.database.read(lambda tx: named.segment_tables(tx, user_id))


def add_segment_table(service: Service, user_id: int, *, name: str, toml: str) -> SavedTable:
    """Check a segment table and keep it.

    Raises
    ------
    InvalidRuleTable
        Gaps, overlaps, or not TOML; the message names the cells.
    InvalidRequest
        The name is that of a built-in table.
    AlreadyTaken
        There is a table of this name.
    """
    if name in BUILT_IN_TABLES:
        raise InvalidRequest(
            f"{name!r} is built in: choose another name.", field="name", reason="built_in_name"
        )
    parse_rules(toml, name)

    def unit(tx: Connection) -> SavedTable:
        named.add(tx, SavedTable, user_id=user_id, name=checked_name(name), toml=toml)
        made = named.segment_table(tx, checked_name(name), user_id=user_id)
        assert made is not None
        return made

    return service.database.write(unit)


def read_table(saved: SavedTable) -> tuple[RuleTable, tuple[Finding, ...]]:
    """Return a kept table, read, and what there is to know of it."""
    return parse_rules(saved.toml, saved.name)


def remove_mapping(service: Service, user_id: int, mapping_id: int) -> None:
    """Delete a mapping.

    Raises
    ------
    NotFound
        There is none of this number.
    """
    if not service.database.write(
        lambda tx: named.remove(tx, SavedMapping, mapping_id, user_id=user_id)
    ):
        raise NotFound("There is no mapping of this number among yours.")


def remove_segment_table(service: Service, user_id: int, table_id: int) -> None:
    """Delete a segment table; analyses made with it stay as they are.

    Raises
    ------
    NotFound
        There is none of this number.
    """
    if not service.database.write(
        lambda tx: named.remove(tx, SavedTable, table_id, user_id=user_id)
    ):
        raise NotFound("There is no segment table of this number among yours.")


def _no_shop() -> NotFound:
    return NotFound("There is no shop of this number among yours.")


def checked_name(text: str) -> str:
    """Return a name as it is kept.

    Raises
    ------
    InvalidRequest
        Empty, too long, or with characters that do not show.
    """
    name = text.strip()
    if not 0 < len(name) <= _MOST_NAME or not name.isprintable():
        raise InvalidRequest(
            f"A name has 1 to {_MOST_NAME} characters that can be seen.", field="name"
        )
    return name
