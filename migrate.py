"""Makes the database and its tables: `python migrate.py` is `rfm migrate`."""

import sys

from rfm_backend.cli import main

if __name__ == "__main__":
    main(["migrate", *sys.argv[1:]])
