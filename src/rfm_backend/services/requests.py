"""What a processing call asks for: options, a segment table, a model to apply.

In:  the JSON body of the call.
Out: `AnalysisRequest`, which a job carries as text and a worker reads back.

What always holds: no path comes from a client; the same request has the same fingerprint, whatever the
order of its keys, and another version of this software has another one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.errors import (
    InvalidModel,
    InvalidOption,
    InvalidRequest,
    InvalidRuleTable,
    NotFound,
)
from rfm_backend.pipeline.model import Model, model_from_json
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.options_json import options_from_json, options_to_json
from rfm_backend.pipeline.rules import BUILT_IN_TABLES
from rfm_backend.pipeline.strict_json import Fields
from rfm_backend.pipeline.thresholds import (
    Thresholds,
    thresholds_from_json,
    thresholds_to_json,
)
from rfm_backend.services.service import Service
from rfm_backend.storage import analyses, named
from rfm_backend.storage.uploads import Upload

_SCORES: Final = ("quantile", "r-rfm")
# What "scores" says where the edges are given.
_FIXED: Final = "thresholds"
_BESIDES: Final = ("use_mapping", "model", "model_from", "thresholds")


@dataclass(frozen=True, kw_only=True)
class AnalysisRequest:
    """Options; the texts of a segment table and a model, and fixed edges, where there are any."""

    options: Options
    table_toml: str | None = None
    model_json: str | None = None
    thresholds: Thresholds | None = None

    def to_json(self) -> str:
        """Return the request as text, the same for the same request."""
        whole: dict[str, object] = {
            "options": options_to_json(self.options),
            "table": self.table_toml,
            "model": self.model_json,
        }
        if self.thresholds is not None:
            whole["thresholds"] = thresholds_to_json(self.thresholds)
        return json.dumps(whole, ensure_ascii=False, sort_keys=True)

    @property
    def option_values(self) -> dict[str, object]:
        """What an analysis keeps of how it was made, so that it can be asked for again."""
        told = options_to_json(self.options)
        if self.thresholds is not None:
            told["thresholds"] = thresholds_to_json(self.thresholds)
        return told

    @property
    def model(self) -> Model | None:
        """The model to apply, read."""
        return None if self.model_json is None else model_from_json(self.model_json)


def request_from_json(text: str) -> AnalysisRequest:
    """Return the request that `AnalysisRequest.to_json` wrote."""
    values = json.loads(text)
    return AnalysisRequest(
        options=options_from_json(Fields(values["options"], "the job")),
        table_toml=values["table"],
        model_json=values["model"],
        thresholds=thresholds_from_json(values["thresholds"], _FIXED)
        if "thresholds" in values
        else None,
    )


def read_request(service: Service, user_id: int, body: Mapping[str, object]) -> AnalysisRequest:
    """Return what a call asks for.

    Raises
    ------
    InvalidRequest
        An option that does not exist, or a value that cannot be one.
    NotFound
        A mapping, segment table or analysis that the user does not have.
    """
    own = {name: value for name, value in body.items() if name not in _BESIDES}
    try:
        options = options_from_json(Fields(own, "the options"))
    except (InvalidModel, InvalidOption) as error:
        raise InvalidRequest(error.written, field=error.details.get("option", "")) from error
    thresholds = _thresholds(options.scores, body.get("thresholds"))
    if thresholds is not None:
        options = replace(options, scores=_FIXED)

    def unit(tx: Connection) -> AnalysisRequest:
        chosen, toml = options, None
        if (mapping := _text(body, "use_mapping")) is not None:
            chosen = replace(chosen, mapping={**_mapping(tx, user_id, mapping), **chosen.mapping})
        if chosen.segments not in BUILT_IN_TABLES:
            found = named.segment_table(tx, chosen.segments, user_id=user_id)
            if found is None:
                raise NotFound(
                    f"There is no segment table {chosen.segments!r}: use {', '.join(BUILT_IN_TABLES)}, or "
                    "save one of your own first.",
                    field="segments",
                )
            toml = found.toml
        return AnalysisRequest(
            options=chosen,
            table_toml=toml,
            model_json=_model(service, tx, user_id, body),
            thresholds=thresholds,
        )

    return service.database.read(unit)


def fingerprint(request: AnalysisRequest, upload: Upload) -> str:
    """Return what tells two requests apart: bytes, options, table, model and version."""
    whole = f"{version('rfm-backend')}\n{upload.sha256}\n{request.to_json()}"
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _thresholds(scores: str, given: object) -> Thresholds | None:
    """Return the fixed edges that a call gives; None where the scores come from the customers."""
    if given is None:
        if scores in _SCORES:
            return None
        raise InvalidRequest(
            f'"scores" is one of {", ".join(_SCORES)}, or "{_FIXED}" with "thresholds" beside it.',
            field="scores",
        )
    if scores not in (Options().scores, _FIXED):
        raise InvalidRequest(
            f'"thresholds" fix the scores: leave out "scores", or say "{_FIXED}".', field="scores"
        )
    if not isinstance(given, Mapping):
        raise InvalidRequest('"thresholds" is an object.', field="thresholds")
    try:
        return thresholds_from_json(given, _FIXED)
    except InvalidRuleTable as error:
        named = str(error.details.get("dimension", ""))
        raise InvalidRequest(
            error.written, field="thresholds", reason="edges", dimension=named
        ) from error


def _model(
    service: Service, tx: Connection, user_id: int, body: Mapping[str, object]
) -> str | None:
    which, of = _text(body, "model"), body.get("model_from")
    if which is not None and of is not None:
        raise InvalidRequest('Give "model" or "model_from", not both.', field="model")
    if of is not None:
        if not isinstance(of, int) or isinstance(of, bool):
            raise InvalidRequest('"model_from" is the number of an analysis.', field="model_from")
        if analyses.get(tx, of, user_id=user_id) is None:
            raise NotFound("There is no analysis of this number among yours.", field="model_from")
        return analyses.model_json(tx, of, user_id=user_id)
    if which is None:
        return None
    if which != "server":
        raise InvalidRequest('"model" is "server", or left out.', field="model")
    path = service.settings.analysis.model_path
    beside = path.with_name(f"{path.name}.json")
    try:
        return beside.read_text("utf-8")
    except OSError as error:
        raise NotFound("The server has no model: its operator makes one with rfm train.") from error


def _mapping(tx: Connection, user_id: int, name: str) -> Mapping[str, str]:
    for saved in named.mappings(tx, user_id):
        if saved.name == name:
            return saved.roles
    raise NotFound(f"There is no mapping named {name!r} among yours.")


def _text(body: Mapping[str, object], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f'"{name}" must be a text.', field=name)
    return value
