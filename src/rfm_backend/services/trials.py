"""Trials: a private account for a day, with a made-up shop in it that is analysed at once.

In:  a `Service`, the reader's language and browser.
Out: `Trial`: the account, the token of its login, the job that analyses its shop.

What always holds
    * nobody knows the account's password, so that its login is the only way in;
    * the sweep deletes it with everything in it once its day is over;
    * there are at most `MOST_TRIALS` at once, so that trials cannot fill the disk.
"""

import datetime as dt
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rfm_backend.catalogue import Language, words
from rfm_backend.errors import NotAllowed, Unavailable
from rfm_backend.sample import write_sample
from rfm_backend.services import analyses, uploads
from rfm_backend.services.accounts import add_user, begin_login
from rfm_backend.services.requests import read_request
from rfm_backend.services.service import Service
from rfm_backend.storage import users
from rfm_backend.storage.jobs import Job
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.uploads import Upload
from rfm_backend.storage.users import User

LIFE: Final = dt.timedelta(days=1)
MOST_TRIALS: Final = 200
ROWS: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial that has begun; ``job`` analyses its shop."""

    user: User
    token: str
    upload: Upload
    job: Job


def begin_trial(service: Service, *, language: Language, device: str, address: str) -> Trial:
    """Make an account for a day, and begin to analyse a made-up shop in it.

    Raises
    ------
    NotAllowed
        Registration is closed.
    Unavailable
        There are as many trials as there may be.
    """
    if service.settings.registration == "closed":
        raise NotAllowed(
            "Registration is closed here: ask the operator for an account.",
            reason="registration_closed",
        )
    if service.database.read(users.count_ending) >= MOST_TRIALS:
        raise Unavailable(
            "Too many people are trying the sample now: try again later, or make an account.",
            reason="too_many_trials",
        )
    say = words(language)
    name = f"{say('start.trial_user')}-{secrets.token_hex(5)}"
    user = add_user(
        service,
        username=name,
        # No mail reaches this address: RFC 2606 keeps the domain empty.
        email=f"{name}@trial.invalid",
        password=secrets.token_urlsafe(32),
        first_shop=say("start.trial_shop"),
        ends_at=utc_now() + LIFE,
    )
    with tempfile.TemporaryDirectory(prefix="rfm-trial-") as folder:
        path = Path(folder) / "sales.csv"
        write_sample(path, rows=ROWS)
        with path.open("rb") as stream:
            stored = uploads.receive(
                service, user.id, stream, filename=say("start.trial_file"), shop_id=None
            )
    request = read_request(service, user.id, {})
    job = analyses.process(service, user.id, stored.upload.id, request)
    # A new account has no analysis that could be there already.
    assert isinstance(job, Job)
    return Trial(
        user=user,
        token=begin_login(service, user, device=device, address=address),
        upload=stored.upload,
        job=job,
    )
