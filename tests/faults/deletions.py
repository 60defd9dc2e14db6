"""Accounts that are deleted at random moments of their jobs, and what is then left of them."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from api.shop import Api, Person, open_api, wipe
from rfm_testing import service_settings

from rfm_backend.storage.tables import METADATA

# From before the job is taken until after it is done.
_MOST_SECONDS = 2.5


def delete_at_random(api: Api, *, n_times: int, seed: int) -> list[str]:
    """Delete accounts at random moments of their jobs; return what was left of them."""
    chance = random.Random(seed)
    people, left = [], []
    for _ in range(n_times):
        person = api.person()
        path = f"/api/rfm/process/{person.upload()}"
        person.ask("POST", path, headers={"Prefer": "respond-async"})
        time.sleep(chance.uniform(0, _MOST_SECONDS))
        assert person.ask("DELETE", "/api/user/profile").status_code == 200
        people.append(person)
    # The worker that was late has a heartbeat's time to notice.
    until = time.monotonic() + 20
    while time.monotonic() < until:
        left = [one for person in people for one in left_of(api, person)]
        if not left:
            break
        time.sleep(0.1)
    return left


def left_of(api: Api, person: Person) -> list[str]:
    """Return the rows and files that still say who the account was."""
    root = api.service.settings.upload_dir
    found = [str(path) for path in root.glob(f"{person.user_id}/**")]
    found += [str(path) for path in root.glob("tmp/*")]
    with api.service.database.engine.connect() as connection:
        for table in METADATA.tables.values():
            name = "id" if table.name == "users" else "user_id"
            if name in table.c:
                rows = sa.select(sa.func.count()).where(table.c[name] == person.user_id)
                found += [table.name] * int(connection.execute(rows).scalar_one())
    return found


@contextmanager
def own_api(folder: Path, kind: str, *, with_worker: bool = True) -> Iterator[Api]:
    """Open a service whose accounts are all this test's."""
    settings = service_settings(kind, folder)
    with open_api(settings, with_worker=with_worker) as api:
        yield api
    wipe(settings)
