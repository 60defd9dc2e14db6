"""Runs the service: `python app.py [--host H] [--port P]` is `rfm serve`."""

import sys

from rfm_backend.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
