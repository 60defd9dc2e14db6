"""The model's two files: the joblib of data scientists and the JSON that is read, whole or not at all."""

from pathlib import Path

import joblib
import numpy as np
import pytest

from rfm_backend import segment
from rfm_backend.errors import OutputFailed
from rfm_backend.output.model_files import write_model_files
from rfm_backend.pipeline.model import Model, model_from_json, predict_clusters

_VALUES = np.array([[3.0, 9, 950], [40, 2, 80], [200, 1, 15], [12, 4, 300]])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    rows = [f"c{n},A{n},2024-{1 + n % 12:02}-{1 + n % 28:02},{5 + n * n}" for n in range(80)]
    rows += [f"c{n},B{n},2024-06-{1 + n % 28:02},{5 + n}" for n in range(0, 80, 3)]
    path.write_text("\n".join(["customer_id,invoice_id,invoice_date,amount", *rows]))
    with segment(path) as result:
        return result.model


def test_the_joblib_file_holds_the_pipeline_and_the_json_stands_beside_it(
    tmp_path: Path, model: Model
) -> None:
    path = tmp_path / "rfm_kmeans.model"
    path.write_text("an older one")

    write_model_files(model, path)

    labels = joblib.load(path).predict(_VALUES)
    assert labels.tolist() == predict_clusters(model, *_VALUES.T).tolist()
    beside = tmp_path / "rfm_kmeans.model.json"
    assert model_from_json(beside.read_text("utf-8")) == model
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, beside.name]


def test_a_model_that_cannot_take_its_place_leaves_everything_as_it_was(
    tmp_path: Path, model: Model
) -> None:
    path = tmp_path / "m.model"
    # A folder with something in it stands where the JSON should go.
    (tmp_path / "m.model.json" / "x").mkdir(parents=True)

    with pytest.raises(OutputFailed, match=r"m\.model"):
        write_model_files(model, path)

    assert [file.name for file in tmp_path.iterdir()] == ["m.model.json"]


def test_a_missing_folder_is_told(tmp_path: Path, model: Model) -> None:
    with pytest.raises(OutputFailed):
        write_model_files(model, tmp_path / "nowhere" / "m.model")
