"""Shapes of uploads, and of what a user keeps under a name."""

from pydantic import Field

from rfm_backend.api.shapes.base import ONLY_ROLES, Moment, PageQuery, Sent, Told


class UploadTold(Told):
    """An upload."""

    upload_id: int
    shop_id: int
    filename: str
    format: str
    size_bytes: int
    sha256: str
    created_at: Moment
    analysis_id: int | None = Field(description="The analysis shown, null before processing.")


class UploadMade(UploadTold):
    """A new upload; ``same_as`` is an earlier one of the same bytes."""

    message: str
    same_as: int | None


class UploadChange(Sent):
    """A new name, another shop, or both."""

    filename: str | None = Field(default=None, min_length=1, max_length=1000)
    shop_id: int | None = Field(default=None, ge=1, lt=2**63)


class UploadQuery(PageQuery):
    """Which uploads."""

    shop_id: int | None = Field(default=None, ge=1, lt=2**63)


class ShopTold(Told):
    """A shop."""

    shop_id: int
    name: str
    created_at: Moment


class NewName(Sent):
    """A name."""

    name: str = Field(min_length=1, max_length=100)


class NewMapping(Sent):
    """Which column has which role, under a name."""

    name: str = Field(min_length=1, max_length=100)
    columns: dict[str, str] = Field(
        max_length=50, description="Role -> column of the file.", json_schema_extra=ONLY_ROLES
    )
    upload_id: int | None = Field(
        default=None, ge=1, lt=2**63, description="Offer it for files with this upload's header."
    )


class MappingTold(Told):
    """A saved mapping."""

    mapping_id: int
    name: str
    columns: dict[str, str]
    created_at: Moment


class NewTable(Sent):
    """A segment table as TOML."""

    name: str = Field(min_length=1, max_length=100)
    toml: str = Field(max_length=200_000)


class FindingTold(Told):
    """Something to know of a table, such as cells that fall to `otherwise`."""

    code: str
    values: dict[str, object]


class TableTold(Told):
    """A saved segment table."""

    table_id: int
    name: str
    segments: list[str]
    cells: dict[str, str] = Field(description="Score cell -> segment: 54 is R 5, F 4.")
    toml: str
    created_at: Moment
    findings: list[FindingTold]
