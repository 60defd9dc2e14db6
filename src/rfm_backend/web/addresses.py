"""Addresses of an analysis's pages, with whatever a file calls its customers and segments.

In:  numbers and names.
Out: addresses that lead to the page of exactly this name.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

# Stands in the path where a number cannot; the number then is in the query.
ELSEWHERE = "-"


def segment_address(analysis_id: int, segment: str) -> str:
    """Return the address of a segment's page."""
    return f"/analyses/{analysis_id}/segments/{quote(segment, safe='')}"


def customers_address(analysis_id: int, **filters: object) -> str:
    """Return the address of the customers that filters choose; those that are None or "" are left out.

    Examples
    --------
    >>> customers_address(7, cell="54", q="", cluster=None)
    '/analyses/7/customers?cell=54'
    """
    return with_query(f"/analyses/{analysis_id}/customers", filters)


def customer_address(analysis_id: int, customer_id: str, group: str | None = None) -> str:
    """Return the address of a customer's page.

    Examples
    --------
    >>> customer_address(7, "a/b c"), customer_address(7, "..")
    ('/analyses/7/customers/a%2Fb%20c', '/analyses/7/customers/-?id=..')
    """
    here, query = f"/analyses/{analysis_id}/customers", {"group": group}
    if _travels(customer_id):
        return with_query(f"{here}/{quote(customer_id, safe='')}", query)
    return with_query(f"{here}/{ELSEWHERE}", {"id": customer_id, **query})


def settings_address(analysis_id: int, name: str) -> str:
    """Return the address of one setting of an analysis, opened where it is folded away.

    Examples
    --------
    >>> settings_address(7, "level")
    '/analyses/7/settings?at=level#level'
    """
    return f"/analyses/{analysis_id}/settings?at={name}#{name}"


def with_query(path: str, values: Mapping[str, object]) -> str:
    """Return a path with those values that are there."""
    given = {name: value for name, value in values.items() if value is not None and value != ""}
    return f"{path}?{urlencode(given)}" if given else path


def _travels(customer_id: str) -> bool:
    """Tell whether a number arrives as it left: browsers and servers change some paths on the way."""
    return (
        customer_id != ELSEWHERE
        and not customer_id.startswith("/")
        and not customer_id.endswith("/")
        and "//" not in customer_id
        and not {".", ".."} & set(customer_id.split("/"))
        and "\\" not in customer_id
        and all(mark.isprintable() or mark == " " for mark in customer_id)
    )
