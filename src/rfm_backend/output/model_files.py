"""The model as files: a joblib file for data scientists, and the JSON that the product reads.

In:  a `Model`, the path of the joblib file (MODEL_PATH).
Out: ``<path>`` and ``<path>.json``.

What always holds: each file is whole; the JSON takes its place last, so that it never describes a
joblib file that is not there yet.

What this module does not do: it never loads a joblib file, since loading one executes it.
"""

from pathlib import Path

import joblib

from rfm_backend.output.atomic import check_free, write_text, writing
from rfm_backend.pipeline.model import Model, model_to_json, to_sklearn_pipeline


def write_model_files(model: Model, path: Path) -> None:
    """Write the scikit-learn Pipeline of `model` to `path` and its JSON beside it, replacing both.

    Raises
    ------
    OutputFailed
        The folder is missing, full or may not be written to; the JSON that stood there still does.
    """
    beside = path.with_name(f"{path.name}.json")
    check_free(beside, force=True)
    with writing(path, force=True) as temporary:
        joblib.dump(to_sklearn_pipeline(model), temporary)
    write_text(beside, model_to_json(model), force=True)
