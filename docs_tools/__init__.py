"""Writes docs/reference from the code, so that what it says cannot drift from what is done.

`make docs` writes; `make docs-check` fails where a page differs.
"""
