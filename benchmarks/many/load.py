"""Asks as many users do: each kind of request by itself, and all of them mixed at a steady rate.

A request of the mix begins when its turn comes, whether or not those before it are answered: what waits
counts as slow.
"""

import http.client
import json
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from many.filling import Filled
from million.asking import Server

from rfm_backend.services.cursors import pack_cursor

_CLIENTS = 32
_ORDERS = ("customer_id", "recency", "frequency", "monetary")
KINDS = {
    "uploads listed": 20,
    "analyses listed": 10,
    "page, customer_id": 20,
    "page, a segment by recency": 10,
    "page, a cluster by monetary": 10,
    "summary": 15,
    "profile": 15,
}


@dataclass
class Answers:
    """Milliseconds by kind of request, and what was answered with anything but 200.

    ``by_turn`` has (when it was due by the clock of `time.perf_counter`, milliseconds) of each.
    """

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    by_turn: list[tuple[float, float]] = field(default_factory=list)

    def all(self) -> list[float]:
        """Return the times of every kind."""
        return [time for times in self.times.values() for time in times]

    def by_minute(self) -> list[list[float]]:
        """Return the times of each minute, from the first request on."""
        first = min(due for due, _ in self.by_turn)
        minutes: dict[int, list[float]] = {}
        for due, milliseconds in self.by_turn:
            minutes.setdefault(int(due - first) // 60, []).append(milliseconds)
        return [times for _, times in sorted(minutes.items())]


class Crowd:
    """The users of a filled service, any of whom asks."""

    def __init__(self, server: Server, filled: Filled, *, n_customers: int, seed: int = 1) -> None:
        self._server = server
        self._filled = filled
        self._n_customers = n_customers
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self.answers = Answers()

    def path(self, kind: str) -> tuple[str, str]:
        """Return (token, path) of a request of a kind, by anybody but the first user."""
        with self._lock:
            user = self._dice.randrange(1, len(self._filled.tokens))
            upload = self._dice.choice(self._filled.uploads[user])
            behind = self._dice.randrange(self._n_customers)
        cursor = pack_cursor(behind, behind)
        results = f"/api/rfm/results/{upload}?limit=100"
        return self._filled.tokens[user], {
            "uploads listed": "/api/uploads?limit=100",
            "analyses listed": f"/api/analyses?file_id={upload}",
            "page, customer_id": f"{results}&cursor={cursor}",
            "page, a segment by recency": f"{results}&segment=champions&sort=recency",
            "page, a cluster by monetary": f"{results}&cluster=1&sort=-monetary",
            "summary": f"/api/rfm/summary/{upload}",
            "profile": "/api/user/profile",
        }[kind]

    def ask(self, connection: http.client.HTTPConnection, kind: str, due: float) -> None:
        """Send one request, and note how long after its turn its answer was there."""
        token, path = self.path(kind)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            told = "" if answer.status == 200 else f"{kind}: {answer.status}"
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            told = f"{kind}: {type(error).__name__}"
        milliseconds = (time.perf_counter() - due) * 1_000
        with self._lock:
            self.answers.times.setdefault(kind, []).append(milliseconds)
            self.answers.by_turn.append((due, milliseconds))
            if told:
                self.answers.errors.append(told)

    def ask_each(self, kinds: Sequence[str], *, n_each: int) -> Answers:
        """Ask every kind by itself, one request after the other."""
        connection = self._server.connect()
        for kind in kinds:
            for _ in range(n_each):
                self.ask(connection, kind, time.perf_counter())
        connection.close()
        return self._taken()

    def ask_mixed(self, *, per_second: int, seconds: float) -> Answers:
        """Ask all kinds mixed, so many per second."""
        turns: queue.Queue[tuple[str, float] | None] = queue.Queue()
        clients = [threading.Thread(target=self._serve, args=(turns,)) for _ in range(_CLIENTS)]
        for client in clients:
            client.start()
        began = time.perf_counter()
        for turn in range(int(per_second * seconds)):
            due = began + turn / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            with self._lock:
                kind = self._dice.choices([*KINDS], weights=[*KINDS.values()])[0]
            turns.put((kind, due))
        for _ in clients:
            turns.put(None)
        for client in clients:
            client.join()
        return self._taken()

    def _serve(self, turns: "queue.Queue[tuple[str, float] | None]") -> None:
        connection = self._server.connect()
        while (turn := turns.get()) is not None:
            self.ask(connection, *turn)
        connection.close()

    def _taken(self) -> Answers:
        answers, self.answers = self.answers, Answers()
        return answers


@contextmanager
def repeated(act: Callable[[], None], *, every: float, errors: list[str]) -> Iterator[None]:
    """Have something done again and again meanwhile.

    A connection that fails is noted among the errors; any other failure is raised at the end.
    """
    ended = threading.Event()

    def go() -> None:
        while not ended.wait(every):
            try:
                act()
            except (OSError, http.client.HTTPException) as error:
                moment = time.strftime("%H:%M:%S")
                errors.append(f"{moment}, {getattr(act, '__name__', 'login')}: {error!r}")

    with ThreadPoolExecutor(max_workers=1) as beside:
        doing = beside.submit(go)
        try:
            yield
        finally:
            ended.set()
        doing.result()


def post(server: Server, token: str, path: str, body: object) -> tuple[int, dict[str, object]]:
    """Send a JSON request and return its status and answer."""
    connection = server.connect()
    headers = {"Content-Type": "application/json", "Prefer": "respond-async"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request("POST", path, body=json.dumps(body), headers=headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told
