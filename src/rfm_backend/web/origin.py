"""Refuses what a page of another site sends in a user's name.

In:  the headers of a request.
Out: whether it comes from another site.

Browsers say where a request comes from: `Sec-Fetch-Site`, or, where a browser is older or the
connection is not encrypted, `Origin`.  A request with neither comes from no browser, so it carries
no cookie that somebody could abuse.  Go's CrossOriginProtection judges in the same way.
"""

from urllib.parse import urlsplit

from flask import Request


def is_from_another_site(request: Request) -> bool:
    """Tell whether a page of another site sent the request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != request.host.lower()
    except ValueError:
        return True
