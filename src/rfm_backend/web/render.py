"""From a template and its values to an answer, with the headers that a page needs.

In:  a `Screen`, who reads, who is logged in.
Out: HTML; every value in it is escaped.

What always holds: a page runs scripts and styles of this server alone, and sends forms to it alone.
"""

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Final

import jinja2
from flask import Request, Response
from markupsafe import Markup, escape

from rfm_backend.catalogue import Words
from rfm_backend.web.devices import device_name
from rfm_backend.web.reader import THEMES, Reader
from rfm_backend.web.routing import Screen
from rfm_backend.web.static_files import address_of

if TYPE_CHECKING:
    from rfm_backend.storage.users import User

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def render(screen: Screen, *, reader: Reader, request: Request, user: "User | None") -> Response:
    """Return a screen as an answer."""
    text = (
        _templates()
        .get_template(screen.template)
        .render(
            w=reader.words,
            reader=reader,
            themes=THEMES,
            user=user,
            here=request.full_path.rstrip("?") if request.method == "GET" else "/",
            at=request.path,
            # What htmx asks for stands within a page that is there.
            base="part.html" if request.headers.get("HX-Request") == "true" else "layout.html",
            **screen.values,
        )
    )
    return Response(
        text,
        status=screen.status,
        content_type="text/html; charset=utf-8",
        headers={
            "Content-Security-Policy": POLICY,
            "Content-Language": reader.language,
            # A form's Origin is empty under no-referrer, and origin.py reads it.
            "Referrer-Policy": "same-origin",
            "Vary": "Cookie, Accept-Language, HX-Request, HX-Request-Type",
            **screen.headers,
        },
    )


def bytes_in_words(size: int, reader: Reader) -> str:
    """Return a size as people say it: "1.4 MB"."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if size >= unit:
            return f"{reader.words.number(round(size / unit, 1))} {name}"
    return f"{reader.words.number(size)} B"


def moment_iso(moment: dt.datetime) -> str:
    """Return a stored moment (UTC) as the attribute of <time>."""
    return moment.replace(tzinfo=dt.UTC).isoformat(timespec="seconds")


def moment_tag(moment: dt.datetime, words: Words) -> Markup:
    """Return a stored moment as <time>: in UTC, and saying so, until page.js shows it by the reader's clock."""
    hour = moment.strftime("%H:%M" if words.language == "en" else "%H.%M")
    return Markup('<time datetime="{}">{}, {} UTC</time>').format(
        moment_iso(moment), words.date(moment.date()), hour
    )


def say_with(words: Words, key: str, **parts: Markup) -> Markup:
    """Return a message with markup in its fields: the words are escaped, the parts stand as they are."""
    text = escape(words(key, **{name: f"\0{name}\0" for name in parts}))
    for name, part in parts.items():
        text = text.replace(f"\0{name}\0", part)
    return text


@cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("rfm_backend.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "static": address_of,
        "size": bytes_in_words,
        "moment": moment_iso,
        "moment_tag": moment_tag,
        "device_name": device_name,
        "say_with": say_with,
    }
    return made
