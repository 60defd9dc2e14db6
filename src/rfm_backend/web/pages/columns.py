"""The columns of an upload: what each means, how its values are read, what is wrong; then the analysis."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Response

from rfm_backend import columns as c
from rfm_backend.errors import AlreadyTaken, InvalidRequest, UnusableInput
from rfm_backend.services import keeping, previews, uploads
from rfm_backend.services.choices import (
    Choice,
    body_of,
    doubled,
    found_choice,
    lacking,
    mapping_of,
    unsaid,
    with_mapping,
)
from rfm_backend.services.looks import Look, fitting_mappings, look_at, look_at_sheet
from rfm_backend.services.requests import read_request
from rfm_backend.statuses import status_of
from rfm_backend.web.addresses import with_query
from rfm_backend.web.failures import words_of
from rfm_backend.web.forms import Form, sent_form
from rfm_backend.web.onward import begin_analysis, go_on
from rfm_backend.web.readings import shown_readings
from rfm_backend.web.routing import Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.uploads import Upload

# Of a file with thousands of columns these many, and those that have a role.
_MOST_COLUMNS: Final = 100
_FIELDS: Final = (
    "date_order", "decimal", "currency", "shop", "new_shop", "mapping_name", "to_sheet",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An upload, what is seen of it, and what was chosen."""

    upload: "Upload"
    look: Look
    choice: Choice
    form: Form

    @property
    def other_sheet(self) -> str:
        """The sheet that was chosen while another one is shown, "" where that is the same."""
        wanted = self.form["to_sheet"]
        return wanted if wanted in self.look.sheets and wanted != self.look.sheet else ""


@page("/uploads/<int:upload_id>")
def show_columns(visit: Visit) -> Screen:
    """Show what each column of an upload is taken for."""
    upload = uploads.get(visit.service, visit.user.id, visit.path["upload_id"])
    wanted = visit.request.args.get("sheet", "")
    is_quick = previews.is_quick(visit.service, upload, wanted)
    # Of one that takes long the page says first that it is being looked at.
    if not is_quick and "look" not in visit.request.args:
        onward = _address(upload, sheet=wanted, look="now")
        return Screen(template="columns_wait.html", values={"upload": upload, "onward": onward})
    try:
        look, sheet = look_at_sheet(visit.service, upload, wanted)
    except UnusableInput as error:
        return _unreadable(visit, upload, error, sheet=wanted)
    choice = found_choice(look, sheet=sheet)
    if (number := visit.number("mapping")) is not None:
        saved = fitting_mappings(visit.service, upload, look)
        roles = next((one.roles for one in saved if one.id == number), None)
        choice = choice if roles is None else with_mapping(look, roles, sheet=sheet)
    return _shown(visit, Asked(upload=upload, look=look, choice=choice, form=Form()))


@page("/uploads/<int:upload_id>", method="POST")
def look_again(visit: Visit) -> Screen | Response:
    """Look through the file again, with the columns as they were corrected, or at another sheet."""
    asked = _asked(visit)
    if asked.other_sheet:
        return go_on(visit, _address(asked.upload, sheet=asked.other_sheet))
    request = read_request(visit.service, visit.user.id, body_of(asked.choice, asked.look))
    again = look_at(visit.service, asked.upload, request.options)
    return _shown(visit, asked, problems_of=again)


@page("/uploads/<int:upload_id>/reading", method="POST")
def show_reading(visit: Visit) -> Screen:
    """Show how the first values would be read with what is chosen."""
    asked = _asked(visit)
    return Screen(template="reading.html", values=_reading(visit, asked.look, asked.choice))


@page("/uploads/<int:upload_id>/analyse", method="POST")
def analyse(visit: Visit) -> Screen | Response:
    """Begin the analysis, or say what is still needed for it."""
    asked = _asked(visit)
    if asked.other_sheet:
        # Its columns were not seen yet.
        return go_on(visit, _address(asked.upload, sheet=asked.other_sheet))
    if not _is_complete(asked.look, asked.choice):
        return _told(visit, asked, visit.words("choose.not_yet"))
    _choose_shop(visit, asked)
    request = read_request(visit.service, visit.user.id, body_of(asked.choice, asked.look))
    return begin_analysis(visit, asked.upload.id, request)


@page("/uploads/<int:upload_id>/mappings", method="POST")
def save_mapping(visit: Visit) -> Screen | Response:
    """Keep the roles of the columns under a name, for the next file with this header."""
    asked = _asked(visit)
    try:
        saved = keeping.add_mapping(
            visit.service,
            visit.user.id,
            name=asked.form["mapping_name"],
            columns=mapping_of(asked.choice, asked.look),
            upload_id=asked.upload.id,
            sheet=asked.choice.sheet or None,
        )
    except (InvalidRequest, AlreadyTaken) as error:
        return _told(visit, asked, words_of(error, visit.words), status=status_of(error))
    return go_on(visit, _address(asked.upload, mapping=saved.id, sheet=asked.choice.sheet))


@page("/uploads/<int:upload_id>/mappings/delete", method="POST")
def delete_mapping(visit: Visit) -> Response:
    """Delete a saved mapping."""
    upload = uploads.get(visit.service, visit.user.id, visit.path["upload_id"])
    number = visit.request.form.get("mapping_id", type=int)
    if number is not None and number > 0:
        keeping.remove_mapping(visit.service, visit.user.id, number)
    return go_on(visit, _address(upload, sheet=visit.request.form.get("sheet", "")))


def _address(upload: "Upload", **query: object) -> str:
    return with_query(f"/uploads/{upload.id}", query)


def _asked(visit: Visit) -> Asked:
    upload = uploads.get(visit.service, visit.user.id, visit.path["upload_id"])
    look, sheet = look_at_sheet(visit.service, upload, visit.request.form.get("sheet", ""))
    names = [f"column_{place}" for place in range(len(look.columns))]
    form = sent_form(visit, *names, *_FIELDS)
    if not any(name in visit.request.form for name in names):
        choice = found_choice(look, sheet=sheet)
    else:
        choice = Choice(
            # A column that was not shown keeps what it has.
            roles=tuple(
                form[name] if name in visit.request.form else column.role
                for name, column in zip(names, look.columns, strict=True)
            ),
            date_order=form["date_order"] or "found",
            decimal=form["decimal"] or "found",
            currency=form["currency"],
            sheet=sheet,
        )
    return Asked(upload=upload, look=look, choice=choice, form=form)


def _choose_shop(visit: Visit, asked: Asked) -> None:
    """Give the upload to the shop that was chosen, or to a new one of the name that was typed."""
    own = keeping.shops(visit.service, visit.user.id)
    name = asked.form["new_shop"].strip()
    if name:
        known = next((shop for shop in own if shop.name.casefold() == name.casefold()), None)
        shop_id = (known or keeping.add_shop(visit.service, visit.user.id, name)).id
    else:
        shop_id = next((shop.id for shop in own if str(shop.id) == asked.form["shop"]), 0)
    if shop_id and shop_id != asked.upload.shop_id:
        uploads.change(
            visit.service, visit.user.id, asked.upload.id, filename=None, shop_id=shop_id
        )


def _told(visit: Visit, asked: Asked, message: str, *, status: int = 422) -> Screen:
    """Return what is wrong, on the page that is shown or, without htmx, on the page anew."""
    if visit.is_by_htmx:
        return Screen(
            template="notice.html",
            values={"message": message, "code": "", "status": status},
            status=status,
            headers={"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"},
        )
    return _shown(visit, asked, message=message, status=status)


def _unreadable(visit: Visit, upload: "Upload", error: UnusableInput, *, sheet: str = "") -> Screen:
    message = words_of(error, visit.words)
    if sheet:
        message = visit.words("choose.sheet_unreadable", sheet=sheet)
    return Screen(
        template="columns_unreadable.html",
        values={"upload": upload, "message": message, "is_of_sheet": bool(sheet)},
        status=status_of(error),
    )


def _shown(
    visit: Visit,
    asked: Asked,
    *,
    problems_of: Look | None = None,
    message: str = "",
    status: int = 200,
) -> Screen:
    look, choice = asked.look, asked.choice
    reading = _reading(visit, look, choice)
    columns = [one for one in look.columns if one.place < _MOST_COLUMNS or choice.roles[one.place]]
    return Screen(
        template="columns.html",
        values={
            **reading,
            "upload": asked.upload,
            "look": look,
            "choice": choice,
            "columns": columns,
            "form": asked.form,
            "message": message,
            "roles": c.ROLES,
            "problems": (problems_of or look).problems,
            "is_looked_again": problems_of is not None,
            "is_ready": _is_complete(look, choice) and look.is_decided,
            "shops": keeping.shops(visit.service, visit.user.id),
            "mappings": fitting_mappings(visit.service, asked.upload, look),
        },
        status=status,
    )


def _is_complete(look: Look, choice: Choice) -> bool:
    return not (lacking(choice) or doubled(choice, look) or unsaid(choice, look))


def _reading(visit: Visit, look: Look, choice: Choice) -> Mapping[str, object]:
    return {
        "lacking": (*lacking(choice), *unsaid(choice, look)),
        "doubled": doubled(choice, look),
        "readings": shown_readings(look, choice, visit.words),
    }
