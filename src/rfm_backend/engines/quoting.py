"""How names and texts are written into SQL, so that no cell or header can become a command."""


def quote_name(name: str) -> str:
    """Return `name` as an SQL identifier.

    Examples
    --------
    >>> quote_name('my "best" column')
    '"my ""best"" column"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return `text` as an SQL string.

    Examples
    --------
    >>> quote_text("O'Neil")
    "'O''Neil'"
    """
    return "'" + text.replace("'", "''") + "'"
