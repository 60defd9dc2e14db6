"""How long a million results take to be saved, against plain executemany of the same rows.

Ours is `publish`: rows in parts, under an analysis that nobody sees, then the switch.
The peer is the driver's own ``executemany`` in one transaction, into the same table with the same
indexes, over a connection with the same durability, from the same file.  Each run has a fresh database.
"""

import itertools
import os
import time
from pathlib import Path
from typing import Any

from million.stage import Stage, open_stage

from rfm_backend.engines.parquet import read_batches
from rfm_backend.jobs.compute import ROWS
from rfm_backend.jobs.publish import Computed, columns_of, publish
from rfm_backend.storage import analyses
from rfm_backend.storage.results import COLUMNS


def save_ours(kind: str, source: Path, folder: Path, *, local_infile: bool = False) -> float:
    """Return the seconds that publishing takes."""
    with open_stage(kind, folder, local_infile=local_infile) as stage:
        return publish_once(stage, source)


def publish_once(stage: Stage, source: Path) -> float:
    """Publish the analysis in `source`; return the seconds."""
    job, computed = stage.job(), stage.computed(source)
    # What was written before is on the disk first: whoever comes second would pay for it.
    os.sync()
    begin = time.perf_counter()
    publish(stage.service, job, computed, check=lambda: None, tell=lambda _done, _total: None)
    return time.perf_counter() - begin


def save_peer(kind: str, source: Path, folder: Path) -> float:
    """Return the seconds of plain executemany and its commit."""
    with open_stage(kind, folder) as stage:
        computed, upload_id = stage.computed(source), stage.upload_id
        analysis_id = _note_analysis(stage, computed)
        mark = "?" if kind == "sqlite" else "%s"
        names, marks = ", ".join(COLUMNS), ", ".join([mark] * len(COLUMNS))
        order = f"INSERT INTO rfm_results ({names}) VALUES ({marks})"
        pooled = stage.service.database.engine.raw_connection()
        cursor = pooled.cursor()
        os.sync()
        begin = time.perf_counter()
        if kind == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        columns = columns_of(analysis_id, upload_id)
        parts = read_batches(computed.folder / ROWS, columns, n_rows=5_000)
        rows: Any = itertools.chain.from_iterable(parts)  # both drivers take what yields
        cursor.executemany(order, rows)
        if kind == "sqlite":
            cursor.execute("COMMIT")
        else:
            pooled.commit()
        seconds = time.perf_counter() - begin
        cursor.close()
        pooled.close()
        return seconds


def _note_analysis(stage: Stage, computed: Computed) -> int:
    """Add the row that the results belong to."""
    return stage.service.database.write(
        lambda tx: analyses.add(
            tx,
            user_id=stage.login.user.id,
            upload_id=stage.upload_id,
            fingerprint="bench",
            options="{}",
            summary="{}",
            model="{}",
            columns="[]",
            folder=computed.token,
            n_customers=1,
            n_clusters=1,
            seed=1,
            version="bench",
        )
    )
