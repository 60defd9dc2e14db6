"""The fitted model of an analysis: edges, scaler, centres, rules, snapshot rule and options.

    score -> segment -> features -> cluster -> [model], and back to apply it to other customers

In:  what scoring and clustering found; or the JSON that an earlier analysis wrote.
Out: `Model`; its JSON, which is what the product reads and serves; clusters of other customers; for
     data scientists a scikit-learn Pipeline.

What always holds
    * writing and reading a model gives an equal one, every float to the last bit;
    * reading executes nothing and raises nothing but `InvalidModel`;
    * a model's clusters come from the same arithmetic when it is fitted and when it is applied.

What this module does not do: it touches no file, and imports scikit-learn only to make a Pipeline.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.cluster import MAX_ITERATIONS, N_INIT, TOLERANCE, assign
from rfm_backend.pipeline.features import DIMENSIONS, standardise
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.options_json import (
    MAX_CLUSTERS,
    MAX_SEED,
    options_from_json,
    options_to_json,
)
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import Values
from rfm_backend.pipeline.strict_json import read_json_object
from rfm_backend.pipeline.table_json import (
    edges_from_json,
    edges_to_json,
    floats,
    rules_from_json,
    rules_to_json,
)

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FORMAT_VERSION = 1

_FORMAT: Final = "rfm-backend model"
_MAX_COUNT: Final = 2**53


@dataclass(frozen=True, kw_only=True)
class Model:
    """What was fitted, and everything needed to apply it to other data.

    ``feature_means`` and ``feature_scales`` standardise log1p of recency, frequency, monetary (in
    this order); ``centres_scaled`` are the cluster centres in that space, best cluster first.
    ``snapshot_is_given`` tells whether the user chose ``snapshot_date``; where he did not, the
    model is applied with the day after the last purchase of the new data.
    """

    edges: tuple[ScoreEdges, ...]
    score_method: str
    rules: RuleTable
    feature_means: tuple[float, float, float]
    feature_scales: tuple[float, float, float]
    centres_scaled: tuple[tuple[float, float, float], ...]
    cluster_names: tuple[str, ...]
    inertia: float
    n_customers: int
    seed: int
    snapshot_date: dt.date
    snapshot_is_given: bool
    options: Options
    versions: Mapping[str, str]
    format_version: int = FORMAT_VERSION


def predict_clusters(
    model: Model, recency: Values, frequency: Values, monetary: Values
) -> NDArray[np.int16]:
    """Return each customer's cluster: the nearest centre, of equally near ones the better.

    Parameters
    ----------
    model : Model
        Its scaler and centres are used as they are.
    recency, frequency, monetary : arrays, one value per customer
        Days, invoices, amount.  Not modified.

    Returns
    -------
    array of int16, one value per customer, 0 the best cluster, in the order given.
    """
    features = standardise(
        recency, frequency, monetary, means=model.feature_means, scales=model.feature_scales
    )
    labels, _inertia = assign(features, np.array(model.centres_scaled))
    return labels


def model_to_json(model: Model) -> str:
    """Return the model as JSON text: the same model is always the same text.

    Floats are written with the digits that read back to the same bits.
    """
    values = {
        "format": _FORMAT,
        "format_version": model.format_version,
        "snapshot_date": model.snapshot_date.isoformat(),
        "snapshot_is_given": model.snapshot_is_given,
        "n_customers": model.n_customers,
        "score_method": model.score_method,
        "edges": [edges_to_json(entry) for entry in model.edges],
        "rules": rules_to_json(model.rules),
        "feature_means": floats(model.feature_means),
        "feature_scales": floats(model.feature_scales),
        "centres_scaled": [floats(centre) for centre in model.centres_scaled],
        "cluster_names": list(model.cluster_names),
        "inertia": float(model.inertia),
        "seed": model.seed,
        "options": options_to_json(model.options),
        "versions": {name: model.versions[name] for name in sorted(model.versions)},
    }
    return json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def model_from_json(text: str, name: str = "model") -> Model:
    """Return the model that a JSON text holds.

    Parameters
    ----------
    text : str
        What `model_to_json` wrote, by this or an older version.
    name : str
        What a person calls it; errors begin with it.

    Raises
    ------
    InvalidModel
        Not JSON, not a model, one of a newer version, or values that no model can have; the
        message says where in the file.
    """
    values = read_json_object(text, name)
    if "format" not in values or values.raw("format") != _FORMAT:
        raise values.failure(f'this is not a model: its "format" is not "{_FORMAT}"')
    if values.raw("format_version") != FORMAT_VERSION:
        raise values.failure(
            f"this version reads models of format {FORMAT_VERSION}, "
            f"not {values.raw('format_version')!r:.40}: fit the model again"
        )
    values.allow(("format", *Model.__dataclass_fields__))
    centres = values.triples("centres_scaled")
    names = values.texts("cluster_names")
    if not 1 <= len(centres) <= MAX_CLUSTERS or len(names) != len(centres):
        raise values.failure(
            f'"centres_scaled" and "cluster_names" must be equally many, 1 to {MAX_CLUSTERS}'
        )
    scales = values.triple("feature_scales")
    if min(scales) <= 0:
        raise values.failure('"feature_scales" must be above zero')
    return Model(
        edges=edges_from_json(values),
        score_method=values.text("score_method"),
        rules=rules_from_json(values.nested("rules")),
        feature_means=values.triple("feature_means"),
        feature_scales=scales,
        centres_scaled=centres,
        cluster_names=names,
        inertia=values.number("inertia"),
        n_customers=values.integer("n_customers", 1, _MAX_COUNT),
        seed=values.integer("seed", 0, MAX_SEED),
        snapshot_date=values.date("snapshot_date"),
        snapshot_is_given=values.flag("snapshot_is_given"),
        options=options_from_json(values.nested("options")),
        versions=values.text_map("versions"),
    )


def to_sklearn_pipeline(model: Model) -> "Pipeline":
    """Return the model as a fitted scikit-learn Pipeline.

    Parameters
    ----------
    model : Model
        Not modified.

    Returns
    -------
    Pipeline
        Steps ``log1p``, ``scale`` and ``kmeans``.  ``predict`` takes an array of recency,
        frequency, monetary, one row per customer, in original units, and gives the model's labels.
        There is no ``labels_``: the customers are not part of the model.
    """
    from sklearn.cluster import KMeans
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    scaler = StandardScaler()
    scaler.mean_ = np.array(model.feature_means)
    scaler.scale_ = np.array(model.feature_scales)
    scaler.var_ = scaler.scale_**2
    scaler.n_features_in_ = len(DIMENSIONS)
    scaler.n_samples_seen_ = model.n_customers
    kmeans = KMeans(
        len(model.centres_scaled),
        n_init=N_INIT,
        tol=TOLERANCE,
        max_iter=MAX_ITERATIONS,
        random_state=model.seed,
    )
    kmeans.cluster_centers_ = np.array(model.centres_scaled)
    kmeans.inertia_ = model.inertia
    kmeans.n_features_in_ = len(DIMENSIONS)
    # predict() wants the number of threads that a fit would have noted; there is no public way.
    kmeans._n_threads = 1  # noqa: SLF001
    steps = [("log1p", FunctionTransformer(np.log1p)), ("scale", scaler), ("kmeans", kmeans)]
    return Pipeline(steps)
