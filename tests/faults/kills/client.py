"""One client: asks for one thing after the other, notes what was acknowledged, and looks whether it is still so."""

import random
import threading
from decimal import Decimal
from typing import Any

import requests
from faults.kills.contents import make_content
from faults.kills.journal import Account, Journal, Known

_SECONDS = 30


class BrokenPromiseError(AssertionError):
    """Something acknowledged is not so, or something is there that must not be."""


class UnansweredError(Exception):
    """The answer did not come, or said that the service is away: the thing may be done or not."""


class Client:
    """One account after the other; `step` asks for one thing, `check` compares everything."""

    def __init__(self, number: int, address: str, journal: Journal, seed: int) -> None:
        self._number = number
        self._address = address
        self._journal = journal
        self._chance = random.Random(f"{seed} {number}")
        self._n_accounts = 0
        self._n_contents = 0
        self._token = ""
        self._account: Account | None = None
        self._processing: int | None = None
        self.n_unanswered = 0

    def run(self, ended: threading.Event, faults: list[str]) -> None:
        """Go on until told to end; a broken promise is noted."""
        while not ended.is_set():
            try:
                self.step()
            except UnansweredError:
                self.n_unanswered += 1
                ended.wait(0.5)
            except BrokenPromiseError as error:
                faults.append(f"client {self._number}: {error}")
                return

    def step(self) -> None:
        """Ask for one thing, by chance."""
        if self._account is None or self._account.may_be_gone:
            self._register()
            return
        steps = {
            self._upload: 6,
            self._rename: 5,
            self._process: 4,
            self._look: 8,
            self._delete: 2,
            self._log_in: 0.5,
            self._change_password: 0.4,
            self._delete_account: 0.1,
        }
        (chosen,) = self._chance.choices(list(steps), weights=list(steps.values()))
        chosen()

    def _ask(self, method: str, path: str, **values: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}", **values.pop("headers", {})}
        try:
            answer = requests.request(
                method, self._address + path, headers=headers, timeout=_SECONDS, **values
            )
        except requests.RequestException as error:
            raise UnansweredError from error
        if answer.status_code == 503:
            if "Retry-After" not in answer.headers:
                raise BrokenPromiseError(f"{method} {path}: 503 without Retry-After")
            raise UnansweredError
        if answer.status_code >= 500:
            raise BrokenPromiseError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _asked(self, method: str, path: str, *, wanted: set[int], **values: Any) -> Any:
        """Ask with the account's token, logging in anew where a lost answer may have ended it."""
        answer = self._ask(method, path, **values)
        if answer.status_code == 401:
            self._log_in()
            answer = self._ask(method, path, **values)
        if answer.status_code not in wanted:
            raise BrokenPromiseError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    @property
    def _known(self) -> Account:
        assert self._account is not None
        return self._account

    def _note(self, what: str, *, is_done: bool, **values: Any) -> None:
        self._journal.note(self._known.name, what, is_done=is_done, **values)

    def _register(self) -> None:
        self._n_accounts += 1
        name = f"u{self._number}x{self._n_accounts}"
        password = f"correct horse {name}"
        self._journal.note(name, "register", is_done=False, password=password)
        body = {"username": name, "email": f"{name}@test.com", "password": password}
        answer = self._ask("POST", "/api/auth/register", json=body)
        if answer.status_code != 201:
            raise BrokenPromiseError(f"register: {answer.status_code} {answer.text[:300]}")
        self._journal.note(name, "register", is_done=True, password=password)
        self._account = self._journal.accounts[name]
        self._token = answer.json()["token"]

    def _log_in(self) -> None:
        account = self._known
        for password in sorted(account.passwords):
            body = {"identifier": account.name, "password": password}
            answer = self._ask("POST", "/api/auth/login", json=body)
            if answer.status_code == 200:
                self._token = answer.json()["token"]
                self._note("password", is_done=True, password=password)
                return
        raise BrokenPromiseError(f"{account.name}: no password holds")

    def _change_password(self) -> None:
        if len(self._known.passwords) != 1:
            self._log_in()
        (old,) = self._known.passwords
        new = f"battery staple {self._chance.random()}"
        self._note("password", is_done=False, password=new)
        body = {"old_password": old, "new_password": new}
        answer = self._asked("PUT", "/api/user/profile/password", wanted={200, 403}, json=body)
        if answer.status_code == 200:
            self._token = answer.json()["token"]
            self._note("password", is_done=True, password=new)

    def _upload(self) -> None:
        self._n_contents += 1
        content = make_content(self._number * 1_000_000 + self._n_contents)
        name = f"{content.number}.csv"
        self._note("upload", is_done=False)
        answer = self._asked(
            "POST", "/api/upload", wanted={201}, files={"file": (name, content.data)}
        )
        self._note(
            "upload",
            is_done=True,
            upload_id=answer.json()["upload_id"],
            content=content.number,
            name=name,
        )

    def _one_upload(self) -> tuple[int, Known] | None:
        there = [one for one in self._known.uploads.items() if not one[1].may_be_gone]
        return self._chance.choice(there) if there else None

    def _rename(self) -> None:
        if one := self._one_upload():
            name = f"{self._chance.randint(1, 10**9)}.csv"
            self._note("rename", is_done=False, upload_id=one[0], name=name)
            self._asked("PATCH", f"/api/uploads/{one[0]}", wanted={200}, json={"filename": name})
            self._note("rename", is_done=True, upload_id=one[0], name=name)

    def _process(self) -> None:
        """Have one upload processed at a time: a job takes seconds, and a request none."""
        before = self._known.uploads.get(self._processing or 0)
        if before is not None and not (before.is_processed or before.may_be_gone):
            return
        if one := self._one_upload():
            self._processing = one[0]
            path = f"/api/rfm/process/{one[0]}"
            self._asked("POST", path, wanted={200, 202}, headers={"Prefer": "respond-async"})

    def _look(self) -> None:
        processing = self._known.uploads.get(self._processing or 0)
        if processing is not None and not processing.may_be_gone and self._chance.random() < 0.5:
            assert self._processing is not None
            self._check_result(self._processing, processing)
        elif one := self._one_upload():
            self._check_result(*one)

    def _delete(self) -> None:
        if one := self._one_upload():
            self._note("delete", is_done=False, upload_id=one[0])
            self._asked("DELETE", f"/api/uploads/{one[0]}", wanted={200, 204})
            self._note("delete", is_done=True, upload_id=one[0])

    def _delete_account(self) -> None:
        if self._n_accounts < 10:
            self._note("delete account", is_done=False)
            self._asked("DELETE", "/api/user/profile", wanted={200, 204})
            self._note("delete account", is_done=True)

    def _check_result(self, upload_id: int, known: Known) -> None:
        """A result that is seen is whole, and one that was seen once stays."""
        wanted = {200} if known.is_processed else {200, 409}
        answer = self._asked("GET", f"/api/rfm/results/{upload_id}", wanted=wanted)
        if answer.status_code != 200:
            return
        content, rows = make_content(known.content), answer.json()
        money = sum((Decimal(str(row["monetary"])) for row in rows), Decimal(0))
        if (len(rows), money) != (content.n_customers, content.monetary):
            raise BrokenPromiseError(f"upload {upload_id}: {len(rows)} customers, {money}")
        if not known.is_processed:
            self._note("result", is_done=True, upload_id=upload_id)

    def check(self) -> None:
        """Compare everything of every account of this client with the journal."""
        mine = f"u{self._number}x"
        for account in list(self._journal.accounts.values()):
            if account.name.startswith(mine):
                self._check_account(account)

    def _check_account(self, account: Account) -> None:
        self._account, self._token = account, ""
        if account.is_gone:
            body = {"identifier": account.name, "password": max(account.passwords)}
            if self._ask("POST", "/api/auth/login", json=body).status_code != 401:
                raise BrokenPromiseError(f"{account.name} was deleted, and is there")
        if not account.is_sure or account.may_be_gone:
            return
        self._log_in()
        there = {one["upload_id"]: one for one in self._all_uploads()}
        unseen = there.keys() - account.uploads.keys()
        if len(unseen) > account.n_unanswered_uploads:
            raise BrokenPromiseError(f"{account.name} has more uploads than were asked for")
        for upload_id, known in account.uploads.items():
            if known.is_gone != (upload_id not in there) and not (
                known.may_be_gone and not known.is_gone
            ):
                raise BrokenPromiseError(f"upload {upload_id}: {known}, {there.get(upload_id)}")
            if upload_id in there:
                if there[upload_id]["filename"] not in known.names:
                    raise BrokenPromiseError(f"{upload_id}: {known}, {there[upload_id]}")
                self._check_result(upload_id, known)

    def _all_uploads(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            query = f"?limit=100{cursor and '&cursor=' + cursor}"
            page = self._asked("GET", f"/api/uploads{query}", wanted={200}).json()
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = page["next_cursor"]
