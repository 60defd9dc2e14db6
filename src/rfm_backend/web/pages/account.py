"""The account: who is signed in."""

from rfm_backend.web.routing import Screen, Visit, page


@page("/account")
def show_account(visit: Visit) -> Screen:
    """Show the account that is signed in."""
    del visit
    return Screen(template="account.html")
