"""The model: written and read without a lost bit, refused in words, applied as it was fitted."""

import datetime as dt
import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfm_backend.errors import InvalidModel
from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.cluster import cluster_customers
from rfm_backend.pipeline.features import make_features
from rfm_backend.pipeline.model import (
    Model,
    model_from_json,
    model_to_json,
    predict_clusters,
    to_sklearn_pipeline,
)
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.rules import built_in_rules, parse_rules

# Every option away from its default.
ALL_OPTIONS = Options(
    mapping={"invoice_id": "Nota", "customer_id": "Pelanggan"},
    keep=("Kota", "Tier"),
    sheet="Jan",
    encoding="cp1252",
    delimiter=";",
    decimal=",",
    date_format="dmy",
    level="orders",
    snapshot_date=dt.date(2024, 2, 29),
    since=dt.date(2023, 1, 1),
    until=dt.date(2024, 1, 31),
    exclude=(("Negara", "Ärger"), ("Kanal", "")),
    returns="match",
    duplicates="drop",
    timezone="Asia/Jakarta",
    n_clusters="auto",
    seed=7,
    segments="eleven",
    scores="r-rfm",
    by="country",
    currency="IDR",
)

EDGES = ScoreEdges(
    group="",
    recency=(13.8, 33.0, 72.0, 180.0),
    frequency=(1.0, 2.0, 4.0),
    monetary=(0.1, 0.2, 0.30000000000000004, 1e6 / 3),
    r_counts=(1, 2, 3, 4, 5),
    f_counts=(9, 3, 2, 1, 0),
    m_counts=(3, 3, 3, 3, 3),
)

MODEL = Model(
    edges=(EDGES,),
    score_method="quantile",
    rules=built_in_rules("ten"),
    feature_means=(3.7, 1.2, 6.6),
    feature_scales=(1.3, 0.7, 1.1),
    centres_scaled=((-1.0, 1.0, 1.0), (1 / 3, -0.5, -0.5)),
    cluster_names=("best", "rest"),
    inertia=3268.014114161251,
    n_customers=15,
    seed=42,
    snapshot_date=dt.date(2011, 12, 10),
    snapshot_is_given=False,
    options=Options(),
    versions={"rfm_backend": "0.1.0", "numpy": "2.4.6"},
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TRIPLES = st.tuples(FLOATS, FLOATS, FLOATS)


def changed(**entries: object) -> str:
    """Return the JSON of MODEL with top-level entries replaced."""
    return json.dumps(json.loads(model_to_json(MODEL)) | entries)


def changed_within(name: str, **entries: object) -> str:
    """Return the JSON of MODEL with entries of one of its objects replaced."""
    values = json.loads(model_to_json(MODEL))
    target = values[name][0] if isinstance(values[name], list) else values[name]
    target |= entries
    return json.dumps(values)


def refuse(text: str) -> InvalidModel:
    with pytest.raises(InvalidModel) as caught:
        model_from_json(text, "m.json")
    assert caught.value.message.startswith("m.json")
    return caught.value


@given(
    centres=st.lists(TRIPLES, min_size=1, max_size=3),
    means=TRIPLES,
    edges=st.lists(FLOATS, min_size=4, max_size=4).map(sorted),
    inertia=FLOATS,
)
def test_a_model_reads_back_equal_to_the_last_bit(
    centres: list[tuple[float, float, float]],
    means: tuple[float, float, float],
    edges: list[float],
    inertia: float,
) -> None:
    model = replace(
        MODEL,
        centres_scaled=tuple(centres),
        cluster_names=("Ångström",) * len(centres),
        feature_means=means,
        edges=(replace(EDGES, recency=tuple(edges)),),
        inertia=inertia,
    )

    text = model_to_json(model)

    again = model_from_json(text)
    assert again == model
    # Equality does not see the sign of zero; the text does.
    assert model_to_json(again) == text


def test_every_option_reads_back() -> None:
    for field in fields(Options):
        assert getattr(ALL_OPTIONS, field.name) != getattr(Options(), field.name), field.name
    model = replace(MODEL, options=ALL_OPTIONS)

    assert model_from_json(model_to_json(model)).options == ALL_OPTIONS
    six = replace(MODEL, options=replace(ALL_OPTIONS, n_clusters=6))
    assert model_from_json(model_to_json(six)).options.n_clusters == 6


def test_groups_and_a_users_own_rules_read_back() -> None:
    text = 'dimensions = 2\nmatch = "first"\notherwise = "rest"\n[[segment]]\nkey = "a"\nname = "Ä"\nr = 5\n'
    rules, _ = parse_rules(text, "own.toml")
    edges = (replace(EDGES, group="ID", right_open=True), replace(EDGES, group="SG"))
    model = replace(MODEL, rules=rules, edges=edges)

    assert model_from_json(model_to_json(model)) == model


def test_the_same_model_is_the_same_text_whatever_the_order_of_its_maps() -> None:
    turned = replace(
        MODEL,
        versions=dict(reversed(list(MODEL.versions.items()))),
        options=replace(ALL_OPTIONS, mapping=dict(reversed(list(ALL_OPTIONS.mapping.items())))),
        rules=replace(MODEL.rules, cells=dict(reversed(MODEL.rules.cells.items()))),
    )

    assert model_to_json(turned) == model_to_json(replace(MODEL, options=ALL_OPTIONS))


def test_numbers_of_numpy_are_written_as_plain_numbers() -> None:
    centre = tuple(np.array([0.1, 0.2, 0.3]))
    model = replace(MODEL, centres_scaled=(centre, centre), inertia=np.float64(1.5))

    assert json.loads(model_to_json(model))["centres_scaled"] == [[0.1, 0.2, 0.3]] * 2


def test_a_number_that_is_none_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        model_to_json(replace(MODEL, inertia=math.nan))


def test_an_option_that_an_older_model_does_not_know_has_its_default() -> None:
    values = json.loads(model_to_json(MODEL))
    del values["options"]["returns"]

    assert model_from_json(json.dumps(values)).options == Options()


def test_a_byte_order_mark_before_the_json_does_no_harm() -> None:
    assert model_from_json("\ufeff" + model_to_json(MODEL)) == MODEL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[]", "an object is expected"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"a": 1, "a": 2}', "same name twice"),
        ('{"format": NaN}', "NaN is not a number"),
        (" " * 32_000_001, "too long for a model"),
        ("{}", "this is not a model"),
        ("\x80\x04\x95joblib", "not valid JSON"),
        (changed(format="rfm-backend result"), "this is not a model"),
        (changed(format_version=2), "reads models of format 1, not 2: fit the model again"),
        (changed(surprise=1), 'unknown entries "surprise"'),
        (changed(edges=[]), "one entry for each group"),
        (changed(edges={}), '"edges" must be a list'),
        (changed(edges=[1]), "edges[0]: this must be an object"),
        (changed(score_method=None), '"score_method" must be text'),
        (changed(score_method="\ud800"), '"score_method" must be text'),
        (changed(feature_means=[1, 2]), "three numbers each"),
        (changed(feature_means=[1, 2, "3"]), "must hold finite numbers"),
        (changed(feature_means=[1, 2, True]), "must hold finite numbers"),
        (changed(feature_means=[1, 2, 10**400]), "must hold finite numbers"),
        (changed(feature_scales=[1, 0, 1]), "must be above zero"),
        (changed(feature_scales=[1, -1, 1]), "must be above zero"),
        (changed(centres_scaled=[], cluster_names=[]), "equally many, 1 to 50"),
        (changed(centres_scaled=[[0, 0, 0]] * 51, cluster_names=["a"] * 51), "equally many"),
        (changed(cluster_names=["best"]), "equally many"),
        (changed(cluster_names="best"), '"cluster_names" must be a list'),
        (changed(inertia=None), '"inertia" must hold finite numbers'),
        (changed(n_customers=0), "whole number from 1"),
        (changed(n_customers=1.0), "whole number from 1"),
        (changed(n_customers=True), "whole number from 1"),
        (changed(seed=-1), "whole number from 0 to 4294967295"),
        (changed(snapshot_date="10.12.2011"), 'a day such as "2024-01-31"'),
        (changed(snapshot_date=20111210), '"snapshot_date" must be text'),
        (changed(snapshot_is_given=0), "must be true or false"),
        (changed(versions={"numpy": 2}), '"numpy" must be text'),
        (changed(versions=[]), "this must be an object"),
        (changed_within("edges", recency=[1, 2, 3]), '"recency" must have 4 edges'),
        (changed_within("edges", frequency=[]), '"frequency" must have 4 edges'),
        (changed_within("edges", monetary=[4, 3, 2, 1]), 'the edges of "monetary" must ascend'),
        (changed_within("edges", m_counts=[1, 2, 3, 4]), '"m_counts" must have 5 numbers'),
        (changed_within("edges", m_counts=[1, 2, 3, 4, -1]), "none below zero"),
        (changed_within("edges", m_counts=[1, 2, 3, 4, 0.5]), "none below zero"),
        (changed_within("edges", more=1), 'edges[0]: unknown entries "more"'),
        (changed_within("rules", dimensions=4), "whole number from 2 to 3"),
        (changed_within("rules", dimensions=3), "each of the 125 cells once"),
        (changed_within("rules", cells={"11": "a"}), "each of the 25 cells once"),
        (changed_within("rules", segments=["champions"]), "only the keys in"),
        (changed_within("rules", segments=["a", "a"]), "distinct keys"),
        (changed_within("rules", segments=[]), "distinct keys"),
        (changed_within("rules", names={"nobody": "x"}), "only the keys in"),
        (changed_within("options", later=1), 'options: unknown entries "later"'),
        (changed_within("options", decimal=";"), '"decimal" must be'),
        (changed_within("options", level="baskets"), '"level" must be'),
        (changed_within("options", returns=None), '"returns" must be'),
        (changed_within("options", duplicates="maybe"), '"duplicates" must be'),
        (changed_within("options", n_clusters=1), "whole number from 2 to 50"),
        (changed_within("options", n_clusters="many"), "whole number from 2 to 50"),
        (changed_within("options", exclude=[["a", "b", "c"]]), "list of pairs"),
        (changed_within("options", exclude=["ab"]), "list of lists"),
        (changed_within("options", keep=[1]), '"keep" must be text'),
        (changed_within("options", mapping={"invoice_id": None}), '"invoice_id" must be text'),
    ],
)
def test_what_is_no_model_is_refused_in_words(text: str, words: str) -> None:
    assert words in refuse(text).message


@pytest.mark.parametrize("name", json.loads(model_to_json(MODEL)))
def test_a_model_without_one_of_its_entries_is_refused_by_its_name(name: str) -> None:
    values = json.loads(model_to_json(MODEL))
    del values[name]

    assert f'"{name}"' in refuse(json.dumps(values)).message


def test_a_customer_goes_to_the_nearest_centre_and_a_tie_to_the_better() -> None:
    # Means 0 and scales 1 leave log1p itself; the centres are at log1p of 1, 3 and 3.
    here = (math.log1p(1),) * 3
    there = (math.log1p(3),) * 3
    model = replace(
        MODEL,
        feature_means=(0.0, 0.0, 0.0),
        feature_scales=(1.0, 1.0, 1.0),
        centres_scaled=(there, here, there),
        cluster_names=("a", "b", "c"),
    )
    values = np.array([1, 3])

    labels = predict_clusters(model, values, values, values)

    assert labels.tolist() == [1, 0]
    assert labels.dtype == np.int16


def fitted() -> tuple[Model, list[np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    generator = np.random.default_rng(5)
    arrays = [
        generator.integers(1, 400, 200).astype(np.float64),
        generator.geometric(0.3, 200).astype(np.float64),
        np.round(generator.lognormal(5, 1, 200), 2),
    ]
    features = make_features(*arrays)
    clustering = cluster_customers(features, n_clusters=4, seed=42)
    centres = [(float(r), float(f), float(m)) for r, f, m in clustering.centres_scaled]
    model = replace(
        MODEL,
        feature_means=features.means,
        feature_scales=features.scales,
        centres_scaled=tuple(centres),
        cluster_names=("a", "b", "c", "d"),
        inertia=clustering.inertia,
        n_customers=200,
    )
    assert predict_clusters(model, *arrays).tolist() == clustering.labels.tolist()
    return model, arrays


def test_a_model_read_back_gives_the_labels_of_its_fit() -> None:
    model, arrays = fitted()

    again = model_from_json(model_to_json(model))

    assert predict_clusters(again, *arrays).tolist() == predict_clusters(model, *arrays).tolist()


def test_the_scikit_learn_pipeline_gives_the_labels_of_the_model() -> None:
    model, arrays = fitted()

    pipeline = to_sklearn_pipeline(model)

    labels = pipeline.predict(np.column_stack(arrays))
    assert labels.tolist() == predict_clusters(model, *arrays).tolist()
    assert not hasattr(pipeline[-1], "labels_")
