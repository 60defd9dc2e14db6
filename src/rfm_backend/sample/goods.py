"""The words of the made-up shop: what it sells, to whom, and how busy each day is.

In:  nothing; these are constants and two small tables made from them.
Out: `products`, `calendar`, and the lists of names and countries that `shop` puts into SQL.

What always holds: nobody here exists; every e-mail address is at example.com (RFC 2606); prices are
exact; the calendar covers two whole years, so that the file never depends on today's date.
"""

import bisect
import datetime as dt
import math
from decimal import Decimal
from typing import Final

FIRST_DAY: Final = dt.date(2024, 1, 1)
LAST_DAY: Final = dt.date(2025, 12, 31)

# A product group per line of the longest invoice, so that no invoice names a product twice.
GROUPS: Final = 16

# Indonesian names first; `INDONESIAN` counts them.  The rest are English.
FIRST_NAMES: Final = (
    "Budi Siti Agus Dewi Rizky Putri Andi Sri Dimas Ayu Joko Rina Hendra Wulan Bayu Indah Fajar Lestari "
    "Eko Maya Yoga Ratna Arif Nur Galih Tika Wahyu Citra Surya Intan Adi Mega "
    "Oliver Amelia Jack Emily Harry Grace George Chloe Noah Ruby Leo Alice Oscar Lucy Henry Freya"
).split()
LAST_NAMES: Final = (
    "Santoso Wijaya Pratama Lestari Saputra Hidayat Kusuma Nugroho Siregar Setiawan Gunawan Halim "
    "Rahayu Suryadi Utami Wibowo Nasution Hartono Ginting Permata Simanjuntak Maulana Anggraini Tan "
    "Susanto Purnomo Tarigan Salim Yuliani Hakim Sihombing Irawan "
    "Smith Jones Taylor Brown Evans Walker Clarke Green Hall Wood Turner Cooper Ward Bell Young Reed"
).split()
INDONESIAN: Final = 32

# One entry per hundredth of the customers, first for Indonesian names, then for English ones.
HOME_COUNTRIES: Final = ("Indonesia",) * 90 + ("Malaysia",) * 6 + ("Singapore",) * 4
FAR_COUNTRIES: Final = (
    ("Australia",) * 38
    + ("Singapore",) * 22
    + ("United Kingdom",) * 20
    + ("Netherlands",) * 12
    + ("Japan",) * 8
)

_ITEMS: Final = (
    ("Kopi Gayo", "8.50"), ("Kopi Toraja", "9.20"), ("Teh Melati", "3.40"), ("Batik Scarf", "24.00"),
    ("Rattan Tray", "18.75"), ("Teak Bowl", "15.90"), ("Clove Soap", "4.25"), ("Palm Sugar", "2.95"),
    ("Sambal Jar", "3.80"), ("Ikat Pouch", "11.50"), ("Silver Ring", "39.00"), ("Woven Mat", "27.40"),
    ("Candle", "6.60"), ("Notebook", "5.10"), ("Tote Bag", "12.30"), ("Coconut Oil", "7.45"),
    ("Gift Box", "21.00"), ("Mug", "6.95"), ("Postcard", "0.85"), ("Incense", "2.10"),
)  # fmt: skip
_VARIANTS: Final = (
    ("S", "0.70"), ("M", "1.00"), ("L", "1.45"), ("XL", "2.10"), ("Red", "1.05"), ("Blue", "1.05"),
    ("Green", "1.05"), ("Black", "1.10"), ("Gold", "1.80"), ("Mini", "0.50"), ("Duo", "1.90"),
    ("Trio", "2.70"), ("Eco", "1.15"), ("Pro", "2.40"), ("Lite", "0.65"), ("Max", "3.20"),
)  # fmt: skip
# Prices rise once, at the turn of the year, as they do in a real shop.
_RISE: Final = Decimal("1.05")

_MONTH_WEIGHTS: Final = (0.75, 0.8, 1.05, 1.05, 0.9, 0.95, 0.9, 0.95, 0.95, 1.15, 1.45, 1.75)
_WEEKDAY_WEIGHTS: Final = (0.82, 0.85, 0.9, 0.95, 1.1, 1.35, 1.2)
# A tenth more in a year.
_GROWTH_PER_DAY: Final = 0.1 / 365


def products() -> list[tuple[str, str, Decimal, Decimal]]:
    """Return one row per product: code, description, price in the first and the second year.

    Neighbouring numbers are of different kinds, and low numbers, which sell best, are of all prices.
    """
    rows = []
    cent = Decimal("0.01")
    for number in range(len(_ITEMS) * len(_VARIANTS)):
        item, base = _ITEMS[(number * 7) % len(_ITEMS)]
        variant, factor = _VARIANTS[(number // len(_ITEMS) + number) % len(_VARIANTS)]
        price = (Decimal(base) * Decimal(factor)).quantize(cent)
        code = f"{item[0]}{1000 + number}"
        rows.append((code, f"{item} {variant}", price, (price * _RISE).quantize(cent)))
    return rows


def calendar(steps: int) -> tuple[list[int], list[float], list[float]]:
    """Return where each of `steps` equal parts of all invoices begins, and how busy each day is.

    The first list tells the day (counted from `FIRST_DAY`) at the start of each step; the others the
    share of all invoices before each day, and the share of each day.  Saturdays, October to
    December and later years are busier.
    """
    n_days = (LAST_DAY - FIRST_DAY).days + 1
    weights = []
    for offset in range(n_days):
        day = FIRST_DAY + dt.timedelta(days=offset)
        growth = 1 + _GROWTH_PER_DAY * offset
        weights.append(_MONTH_WEIGHTS[day.month - 1] * _WEEKDAY_WEIGHTS[day.weekday()] * growth)
    whole = math.fsum(weights)
    shares = [weight / whole for weight in weights]
    before = [math.fsum(shares[:place]) for place in range(n_days)]
    starts = [bisect.bisect_right(before, step / steps) - 1 for step in range(steps)]
    return starts, before, shares
