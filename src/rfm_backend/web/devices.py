"""What a login's device is called, from what its browser calls itself.

In:  the text of the header User-Agent, as it was kept.
Out: a browser and a system, such as "Chrome, Android"; the first words of anything else.
"""

from typing import Final

# The first that is found names it: every browser also claims to be its forebears.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_LONGEST: Final = 40


def device_name(agent: str) -> str:
    """Return what people call a device; "" where nothing is known of it.

    Examples
    --------
    >>> device_name(
    ...     "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    ... )
    'Chrome, Android'
    >>> device_name(
    ...     "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    ... )
    'Firefox, Windows'
    >>> device_name("curl/8.5.0"), device_name("")
    ('curl/8.5.0', '')
    """
    found = [
        next((name for mark, name in known if mark in agent), None)
        for known in (_BROWSERS, _SYSTEMS)
    ]
    named = ", ".join(name for name in found if name)
    return named or agent[:_LONGEST]
