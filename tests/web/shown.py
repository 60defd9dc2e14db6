"""An analysis whose pages are asked for without a browser, and files for it."""

import csv
import io
from typing import Any

from api.shop import SALES, Person

ODD_IDS = [
    "a/b c", "/x", "x/", "a//b", "..", ".", "a/../b", "-", "100%", "a?b#c", "..%2f", "a\\b", "é😀",
    "一" * 255, "=1+1", "<script>alert(1)</script>", "'", '"', "a&b;c",
]  # fmt: skip


class Shown:
    """Somebody's analysis, its pages, and the API that tells the same."""

    def __init__(self, person: Person, content: bytes = SALES, **options: Any) -> None:
        self.person = person
        self.upload_id = person.upload(content)
        self.analysis_id = int(person.process(self.upload_id, **options)["analysis_id"])
        self.address = f"/analyses/{self.analysis_id}"

    def visit(self, address: str, **headers: str) -> Any:
        client = self.person.app.test_client(use_cookies=False)
        cookie = {"Cookie": f"rfm_login={self.person.token}; rfm_language=en"}
        return client.get(address, headers={"Accept": "text/html", **cookie, **headers})

    def page(self, address: str) -> str:
        answer = self.visit(address)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def api(self, path: str) -> Any:
        return self.person.ask("GET", path).json


def odd_sales() -> bytes:
    """Return a file whose customers are called oddly, and are formulas besides."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["customer_id", "invoice_date", "amount", "customer_name", "email"])
    for place, name in enumerate(ODD_IDS):
        row = [name, f"2024-01-{1 + place:02}", 10 + place, "=cmd|' /C calc'!A0", "+1@example.com"]
        writer.writerow(row)
    return out.getvalue().encode()


def grouped_sales() -> bytes:
    """Return sales of two cities: each customer bought in both."""
    header, *rows = SALES.decode().splitlines()
    cities = ("Jakarta", "Bandung")
    told = [f"{row},{cities[place // 70 % 2]}" for place, row in enumerate(rows)]
    return "\n".join([f"{header},country", *told]).encode()
