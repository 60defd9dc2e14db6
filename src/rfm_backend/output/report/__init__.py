"""The report: one self-contained page that needs no network and no script.

In:  an `Analysis`, a language.
Out: HTML, with its style and pictures inside.

What always holds: every text that came from a user's file is escaped; every picture has its figures
in a table; the page says how each number was made.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from rfm_backend.catalogue import Language, words
from rfm_backend.output.atomic import write_text
from rfm_backend.output.report.page import page_values
from rfm_backend.pipeline.run import Analysis

if TYPE_CHECKING:
    import jinja2

__all__ = ["render_report", "write_report"]


def write_report(
    analysis: Analysis, path: Path, *, language: Language, force: bool = False
) -> None:
    """Write the report to `path`, whole or not at all.

    Raises
    ------
    OutputExists, OutputFailed
        The file may not or cannot be written.
    """
    write_text(path, render_report(analysis, language=language), force=force)


def render_report(analysis: Analysis, *, language: Language) -> str:
    """Return the report as HTML."""
    folder = resources.files(__package__)
    style = Markup((folder / "style.css").read_text("utf-8"))  # noqa: S704  # a file of ours
    return _template().render(style=style, **page_values(analysis, words(language)))


@cache
def _template() -> "jinja2.Template":
    # Only who writes a report waits for it.
    import jinja2

    page = (resources.files(__package__) / "page.html").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(page)
