"""Files to upload whose result is known beforehand: so many customers, so much money."""

import csv
import io
import random
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Content:
    """A file, and what its result must say."""

    number: int
    data: bytes
    n_customers: int
    monetary: Decimal


def make_content(number: int) -> Content:
    """Return the file of a number, the same each time."""
    chance = random.Random(number)
    n_customers = 8 + number % 20
    total = Decimal(0)
    out = io.StringIO()
    writing = csv.writer(out)
    writing.writerow(["customer_id", "invoice_id", "invoice_date", "amount"])
    for line in range(n_customers * 3):
        amount = Decimal(chance.randint(100, 99_999)) / 100
        total += amount
        day = f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        writing.writerow([f"c{line % n_customers}", f"A{number}-{line}", day, f"{amount:.2f}"])
    data = out.getvalue().encode()
    return Content(number=number, data=data, n_customers=n_customers, monetary=total)
