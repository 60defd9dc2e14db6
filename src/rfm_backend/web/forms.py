"""Forms: what was typed, and what is wrong with which field.

In:  a request; the names of the fields.
Out: `Form`, which templates show again with what was typed, passwords apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rfm_backend.errors import RfmError
from rfm_backend.statuses import status_of
from rfm_backend.web.failures import words_of
from rfm_backend.web.routing import Screen, Visit

_MOST_TEXT: Final = 4_096


@dataclass(frozen=True, kw_only=True)
class Form:
    """Values by field, errors by field; the error of "" is the whole form's."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        """Return what is wrong with a field, "" where nothing is."""
        return self.errors.get(name, "")


def sent_form(visit: Visit, *names: str) -> Form:
    """Return the named fields as they were sent; what is missing is empty."""
    sent = visit.request.form
    return Form(values={name: sent.get(name, "")[:_MOST_TEXT] for name in names})


def refused(template: str, form: Form, error: RfmError, visit: Visit, **values: object) -> Screen:
    """Return the form again, with the error beside the field that it names."""
    named = str(error.details.get("field", ""))
    place = named if named in form.values else ""
    told = replace(form, errors={place: words_of(error, visit.words)})
    return Screen(template=template, values={**values, "form": told}, status=status_of(error))
