"""Dates: how their text becomes a TIMESTAMP of the shop's clock.

    read -> [map] -> clean

In:  an SQL expression for a cell's text, a `DateFormat`.
Out: SQL for TIMESTAMP or NULL.

What always holds
    * a day that does not exist is NULL, never the next one;
    * a written offset is dropped and the shop's wall time kept, unless a zone is asked for;
    * ISO texts, and texts of one pattern, take a short way.

What it does not do: it decides no order of day and month; `date_format` does.
"""

from typing import Final

from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.mapping.cells import trimmed_sql
from rfm_backend.pipeline.mapping.plan import DateFormat

# Serials of a spreadsheet: 1900-01-01 to 9999-12-31 counted from the 1900 epoch.
_FIRST_SERIAL: Final = 1
_LAST_SERIAL: Final = 2_958_465
_OFFSET: Final = r"\s*(Z|UTC|GMT|[-+][0-9]{2}:?[0-9]{2})$"
_ISO: Final = (
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"([T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?)?"
)


def timestamp_sql(
    text: str, form: DateFormat, *, time_expr: str | None = None, timezone: str | None = None
) -> str:
    """Return SQL that turns `text` into the TIMESTAMP on the shop's clock, or NULL.

    Parameters
    ----------
    text : SQL expression of type VARCHAR
    form : how the column is written
    time_expr : SQL expression for the time of day, where a column of its own has it
    timezone : IANA name; where an offset is written, the instant moves to this zone's wall time
    """
    cell, text = text, trimmed_sql(text)
    local = f"regexp_replace({text}, {quote_text(_OFFSET)}, '')" if form.has_offsets else text
    stamp = _local_sql(local, form)
    if not form.has_offsets:
        stamp = f"coalesce({_short_iso_sql(cell)}, {stamp})"
    if time_expr is not None:
        time = _time_sql(trimmed_sql(time_expr))
        stamp = f"coalesce(CAST({stamp} AS DATE) + {time}, {stamp})"
    if timezone is None or not form.has_offsets:
        return stamp
    offset = f"regexp_extract({text}, {quote_text(_OFFSET)}, 1)"
    minutes = (
        f"CASE WHEN {offset} IN ('', 'Z', 'UTC', 'GMT') THEN 0 ELSE "
        f"CAST({offset}[1] || '1' AS INTEGER) * (CAST({offset}[2:3] AS INTEGER) * 60 + "
        f"CAST(right({offset}, 2) AS INTEGER)) END"
    )
    instant = f"timezone('UTC', {stamp} - to_minutes({minutes}))"
    return f"CASE WHEN {offset} <> '' THEN timezone({quote_text(timezone)}, {instant}) ELSE {stamp} END"


def _short_iso_sql(cell: str) -> str:
    """Return SQL for a day or a second in ISO form, at its full length; NULL for all else."""
    # A first digit and a last one: else "24-01-05" and two blanks would be a day of the year 24.
    return (
        f"CASE WHEN {cell} BETWEEN '1' AND '9~' AND {cell}[-1] BETWEEN '0' AND '9' THEN "
        f"CASE strlen({cell}) WHEN 19 THEN TRY_STRPTIME({cell}, '%Y-%m-%d %H:%M:%S') "
        f"WHEN 10 THEN TRY_STRPTIME({cell}, '%Y-%m-%d') END END"
    )


def _any_iso_sql(text: str) -> str:
    """Return SQL for a day or an instant in any ISO form."""
    whole = f"regexp_extract({text}, {quote_text(f'^{_ISO}$')})"
    return f"TRY_CAST(replace({whole}, ',', '.') AS TIMESTAMP)"


def _local_sql(text: str, form: DateFormat) -> str:
    ways = []
    if form.epoch_unit is not None:
        micros = f"TRY_CAST({text} AS BIGINT) * {1_000_000 // form.epoch_unit}"
        ways.append(
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{9,13}}') THEN make_timestamp({micros}) END"
        )
    if form.order == "ymd":
        ways.append(_any_iso_sql(text))
    if form.patterns:
        written = _month_numbers(text, form)
        patterns = ", ".join(quote_text(pattern) for pattern in form.patterns)
        ways.append(f"TRY_STRPTIME({written}, [{patterns}])")
    if form.order != "ymd":
        # A column of one order may hold ISO texts as well; they have only one reading.
        ways.append(_any_iso_sql(text))
    if form.serial_epoch is not None:
        ways.append(_serial_sql(text, form.serial_epoch))
    return f"coalesce({', '.join(ways)})" if len(ways) > 1 else ways[0]


def _month_numbers(text: str, form: DateFormat) -> str:
    """Return SQL in which the column's month names are numbers, and no day of the week stands before."""
    written = f"lower({text})" if form.months else text
    for name in sorted(form.months, key=len, reverse=True):
        # A name stands between other characters; "mar" must not eat the beginning of "maret".
        pattern = quote_text(f"(^|[^\\p{{L}}]){name}\\.?($|[^\\p{{L}}])")
        written = f"regexp_replace({written}, {pattern}, '\\1{form.months[name]:02d}\\2')"
    # With the months gone, letters at the beginning are the day of the week.
    return f"regexp_replace({written}, '^\\p{{L}}+[.,]*\\s+', '')" if form.months else written


def _serial_sql(text: str, epoch: int) -> str:
    """Return SQL for a spreadsheet's serial: days since its epoch, the day's share behind the point."""
    # The 1900 system counts a 29 February 1900 that never was: days from March 1900 on count from here.
    origin = "1899-12-30" if epoch == 1900 else "1904-01-01"
    serial = f"TRY_CAST({text} AS DOUBLE)"
    is_serial = rf"regexp_full_match({text}, '[0-9]{{1,7}}(\.[0-9]+)?')"
    seconds = f"CAST(round({serial} * 86400) AS BIGINT)"
    return (
        f"CASE WHEN {is_serial} AND {serial} BETWEEN {_FIRST_SERIAL} AND {_LAST_SERIAL} "
        f"THEN TIMESTAMP '{origin}' + to_seconds({seconds}) END"
    )


def _time_sql(text: str) -> str:
    """Return SQL for a time of day in a column of its own, as "13:08", "1:08 PM" or a share of a day."""
    patterns = ", ".join(
        quote_text(pattern) for pattern in ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
    )
    # A sheet's time is a date of its first days; only what stands behind the blank counts.
    bare = rf"regexp_replace({text}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]', '')"
    share = f"TRY_CAST(TRY_CAST({bare} AS DOUBLE) * 86400 AS BIGINT)"
    return (
        f"coalesce(CAST(TRY_STRPTIME(upper({bare}), [{patterns}]) AS TIME), "
        f"CASE WHEN {share} BETWEEN 0 AND 86399 THEN TIME '00:00:00' + to_seconds({share}) END)"
    )
