"""What was asked for and what was acknowledged: a file outside the service, and what must hold by it.

In:  events, each written and synced before the next request goes out.
Out: `Account` by account: what must be there, what may be there, what must be gone.
"""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Known:
    """An upload that was acknowledged."""

    content: int
    names: set[str]
    is_processed: bool = False
    may_be_gone: bool = False
    is_gone: bool = False


@dataclass
class Account:
    """An account: several passwords or names where an answer was lost in between."""

    name: str
    passwords: set[str]
    is_sure: bool = False
    uploads: dict[int, Known] = field(default_factory=dict)
    n_unanswered_uploads: int = 0
    may_be_gone: bool = False
    is_gone: bool = False


class Journal:
    """The file, and the accounts by it."""

    def __init__(self, path: Path) -> None:
        self.accounts: dict[str, Account] = {}
        self.n_acknowledged = 0
        self._lock = threading.Lock()
        self._file = path.open("a+", encoding="utf-8")
        self._file.seek(0)
        for line in self._file:
            self._apply(json.loads(line))

    def note(self, account: str, what: str, *, is_done: bool, **values: Any) -> None:
        """Note that something is about to be asked for, or that it was acknowledged."""
        event = {"account": account, "what": what, "is_done": is_done, **values}
        with self._lock:
            self._file.write(json.dumps(event) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self._apply(event)

    def close(self) -> None:
        self._file.close()

    def _apply(self, event: Mapping[str, Any]) -> None:
        name, what, is_done = event["account"], event["what"], event["is_done"]
        self.n_acknowledged += is_done
        if what == "register":
            account = self.accounts.setdefault(name, Account(name, {event["password"]}))
            account.is_sure = is_done
            return
        account = self.accounts[name]
        upload = account.uploads.get(event.get("upload_id", 0))
        if what == "upload":
            # Asked for: it may be there from now on, unseen; acknowledged: it is one that is seen.
            account.n_unanswered_uploads += -1 if is_done else 1
            if is_done:
                account.uploads[event["upload_id"]] = Known(event["content"], {event["name"]})
        elif what == "refused upload":
            account.n_unanswered_uploads -= 1
        elif what == "password":
            account.passwords = (
                {event["password"]} if is_done else account.passwords | {event["password"]}
            )
        elif what == "delete account":
            account.may_be_gone, account.is_gone = True, is_done
        elif upload is None:
            raise AssertionError(event)
        elif what == "rename":
            upload.names = {event["name"]} if is_done else upload.names | {event["name"]}
        elif what == "result":
            upload.is_processed = True
        elif what == "delete":
            upload.may_be_gone, upload.is_gone = True, is_done
