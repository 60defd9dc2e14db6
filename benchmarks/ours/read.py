"""Only the reading of a file: checked, guarded, every column as text, ready to be scanned."""

import sys
import tempfile
from pathlib import Path

from rfm_backend.progress import no_progress
from rfm_backend.reading.source import open_tables
from rfm_backend.text_table import ReadChoices

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        tables = open_tables(
            sys.argv[1], choices=ReadChoices(), workdir=Path(folder), progress=no_progress
        )
        print(tables[0].columns)
