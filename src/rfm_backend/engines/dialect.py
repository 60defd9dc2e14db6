"""From the pipeline's SQL to Spark's: the same templates, with the few expressions that differ.

In:  SQL as the pipeline writes it, which is DuckDB's.
Out: SQL that gives the same rows in Spark 4.

What always holds
    * texts and names keep their characters, whatever is in them;
    * patterns mean what they mean in RE2: "." is all but a line end, "$" the very end, blanks are ASCII;
    * what is not in the tables below passes as it is, so that Spark refuses what it does not know.

What it does not do: it understands no SQL; it knows calls, lists and the few words named here.
"""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rfm_backend.engines.sql_parts import (
    Group,
    Node,
    java_pattern,
    parse,
    spark_name,
    spark_text,
    split_arguments,
)
from rfm_backend.engines.strptime import IsoRewrite, iso_rewrites

# DuckDB's number, as it stands in a cell: what Java takes beyond it ("1d", other digits) is none.
_NUMBER: Final = r"\A[ \t\n\x0B\f\r]*+[-+]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?[ \t\n\x0B\f\r]*+\z"
_BEFORE_TIME: Final = r"\A([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})[T ] *+(?=[0-9])"
_MIDNIGHT: Final = r"\A([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})[T ] *+24:00(?::00(?:\.0++)?)?\z"
_WORDS: Final = {"VARCHAR": "STRING", "TIMESTAMP": "TIMESTAMP_NTZ", "EXCLUDE": "EXCEPT"}
_END_OF_ORDER: Final = ("LIMIT", "ROWS", "RANGE")
_lambda_numbers = itertools.count(1)


_Call = Callable[[Sequence[Sequence[Node]]], str]


def to_spark(sql: str) -> str:
    """Return Spark's form of a statement.

    Examples
    --------
    >>> to_spark('SELECT strlen("a") FROM t ORDER BY 1')
    'SELECT octet_length(`a`) FROM t ORDER BY 1 NULLS LAST'
    """
    return _write(parse(sql))


def _write(nodes: Sequence[Node]) -> str:
    """Return the text of nodes, what differs in Spark rewritten."""
    out: list[str] = []
    is_ordering = False
    place = 0
    while place < len(nodes):
        node = nodes[place]
        following = nodes[place + 1] if place + 1 < len(nodes) else None
        upper = node.upper() if isinstance(node, str) else ""
        if node == "*" and (star := _star(nodes[place + 1 :])):
            out.append(star[0])
            place += star[1]
        elif is_ordering and (node == "," or upper in _END_OF_ORDER):
            _end_item(out)
            is_ordering = node == ","
            out.append(str(node))
        elif upper == "BY" and _word_before(nodes, place) == "ORDER":
            is_ordering = True
            out.append("BY")
        elif isinstance(node, Group):
            _write_group(node, out)
        elif upper == "TIME" and str(following).isspace():
            # A time of day is what has passed of it; the only one that is written is midnight.
            out.append("make_dt_interval()")
            place += 2
        elif _is_word(node) and isinstance(following, Group) and following.opening == "(":
            out.append(_call(node, following))
            place += 1
        else:
            out.append(_token(node))
            if upper in ("FILTER", "OVER"):
                place += _write_clause(upper, nodes, place, out)
        place += 1
    if is_ordering:
        _end_item(out)
    return "".join(out)


def _write_group(group: Group, out: list[str]) -> None:
    if group.opening == "(":
        out.append(f"({_write(group.inside)})")
    elif out and not out[-1].isspace():
        out.append(_part_of(out.pop(), group))
    else:
        out.append(f"array({_write(group.inside)})")


def _write_clause(word: str, nodes: Sequence[Node], place: int, out: list[str]) -> int:
    """Write the brackets behind FILTER or OVER; return how many nodes they take."""
    group = nodes[place + 2]
    assert isinstance(group, Group)
    inside = _write(group.inside)
    if word == "FILTER" and not inside.startswith("WHERE"):
        inside = f"WHERE {inside}"
    if word == "OVER" and out[-3].startswith("row_number") and "ORDER BY" not in inside:
        inside += " ORDER BY NULL"
    out.append(f" ({inside})")
    return 2


def _end_item(out: list[str]) -> None:
    """Say where NULL stands: DuckDB has it last both ways."""
    blanks = []
    while out and out[-1].isspace():
        blanks.append(out.pop())
    out += [" NULLS LAST", *blanks]


def _word_before(nodes: Sequence[Node], place: int) -> str:
    before = next((node for node in reversed(nodes[:place]) if not str(node).isspace()), "")
    return before.upper() if isinstance(before, str) else ""


def _is_word(node: Node) -> bool:
    return isinstance(node, str) and (node[0].isalpha() or node[0] == "_")


def _token(token: str) -> str:
    if token.startswith("'"):
        return spark_text(_text(token))
    if token.startswith('"'):
        return spark_name(token[1:-1].replace('""', '"'))
    return _WORDS.get(token.upper(), token) if token.isupper() else token


def _text(token: str) -> str:
    return token[1:-1].replace("''", "'")


def _star(behind: Sequence[Node]) -> tuple[str, int] | None:
    """Return "* EXCEPT (...), new AS name" for EXCLUDE and REPLACE behind a star, and their nodes."""
    left_out: list[str] = []
    new: list[str] = []
    taken = 0
    while len(part := behind[taken : taken + 4]) == 4:
        gap, word, _, group = part
        if not (isinstance(gap, str) and gap.isspace() and isinstance(group, Group)):
            break
        items = [_write(item).strip() for item in split_arguments(group)]
        if word == "EXCLUDE":
            left_out += items
        elif word == "REPLACE":
            left_out += [item.rsplit(" AS ", 1)[1] for item in items]
            new += items
        else:
            break
        taken += 4
    if not left_out:
        return None
    return ", ".join([f"* EXCEPT ({', '.join(left_out)})", *new]), taken


def _part_of(text: str, group: Group) -> str:
    """Return a part of a text: [n], [-1] or [from:to], counted from 1."""
    first, _, last = _write(group.inside).partition(":")
    if first == "-1":
        return f"right({text}, 1)"
    return f"substring({text}, {first}, {int(last) - int(first) + 1 if last else 1})"


def _call(name: str, group: Group) -> str:
    known = _CALLS.get(name.lower())
    return known(split_arguments(group)) if known else f"{name}({_write(group.inside)})"


def _literal(argument: Sequence[Node]) -> str:
    """Return the text that an argument is: all patterns stand in the SQL."""
    (token,) = argument
    assert isinstance(token, str)
    return _text(token)


# -- calls ------------------------------------------------------------------------------------------


def _matches(arguments: Sequence[Sequence[Node]]) -> str:
    text, pattern = arguments
    return f"({_write(text)} RLIKE {spark_text(java_pattern(_literal(pattern)))})"


def _fits_whole(arguments: Sequence[Sequence[Node]]) -> str:
    text, pattern = arguments
    whole = rf"\A(?:{java_pattern(_literal(pattern))})\z"
    return f"({_write(text)} RLIKE {spark_text(whole)})"


def _extracted(arguments: Sequence[Sequence[Node]]) -> str:
    pattern = spark_text(java_pattern(_literal(arguments[1])))
    number = _write(arguments[2]) if len(arguments) > 2 else "0"
    return f"regexp_extract({_write(arguments[0])}, {pattern}, {number})"


def _replaced(arguments: Sequence[Sequence[Node]]) -> str:
    text, pattern, new = _write(arguments[0]), _literal(arguments[1]), _literal(arguments[2])
    is_once = pattern.startswith("^") or pattern.endswith("$")
    if len(arguments) > 3 or (is_once and not pattern.startswith("(^")):
        java, shift = java_pattern(pattern), 0
    else:
        # Spark replaces everywhere: what stands before the first place is taken in.
        java, shift = rf"(?s)\A(.*?)(?-s:{java_pattern(pattern)})", 1
    written = re.sub(r"\\([0-9])", lambda found: f"${int(found[1]) + shift}", new)
    before = "$1" if shift else ""
    return f"regexp_replace({text}, {spark_text(java)}, {spark_text(before + written)})"


def _try_cast(arguments: Sequence[Sequence[Node]]) -> str:
    nodes = arguments[0]
    place = max(place for place, node in enumerate(nodes) if node == "AS")
    value, kind = _write(nodes[:place]).strip(), _write([*nodes[place + 1 :]]).strip()
    if len(arguments) > 1:
        kind += ", " + _write(arguments[1])
    is_checked = "regexp_extract" in value
    if kind.startswith(("DECIMAL", "DOUBLE")) and not is_checked:
        value = f"CASE WHEN {value} RLIKE {spark_text(_NUMBER)} THEN {value} END"
    if kind == "TIMESTAMP_NTZ":
        return _once(value, _iso_stamp)
    if kind == "BIGINT" and "DOUBLE" in value:
        value = f"rint({value})"
    return f"TRY_CAST({value} AS {kind})"


def _iso_stamp(name: str) -> str:
    """Return SQL for an instant in ISO form: blanks before the time, and 24:00 as the next day."""
    plain = f"regexp_replace({name}, {spark_text(_BEFORE_TIME)}, '$1 ')"
    midnight = spark_text(_MIDNIGHT)
    return (
        f"CASE WHEN {name} RLIKE {midnight} "
        f"THEN TRY_CAST(regexp_replace({name}, {midnight}, '$1') AS TIMESTAMP_NTZ) + make_dt_interval(1) "
        f"ELSE TRY_CAST({plain} AS TIMESTAMP_NTZ) END"
    )


def _once(value: str, use: Callable[[str], str]) -> str:
    """Return SQL that makes a value once, however often `use` looks at it: a list of one."""
    name = f"once_{next(_lambda_numbers)}"
    return f"element_at(transform(array({value}), {name} -> {use(name)}), 1)"


def _cast(arguments: Sequence[Sequence[Node]]) -> str:
    written = ", ".join(_write(argument) for argument in arguments)
    if written.endswith(" AS TIME"):
        value = written.removesuffix(" AS TIME")
        # A time of day is what has passed of it.
        return f"({value} - date_trunc('DAY', {value}))"
    return f"CAST({written})"


def _strptime(arguments: Sequence[Sequence[Node]]) -> str:
    (listed,) = arguments[1]
    patterns = (
        [_literal(item) for item in split_arguments(listed)]
        if isinstance(listed, Group)
        else [_text(listed)]
    )
    ways = [way for pattern in patterns for way in iso_rewrites(pattern)]

    def read(name: str) -> str:
        return f"coalesce({', '.join([*(_way(name, way) for way in ways), 'NULL'])})"

    return _once(_write(arguments[0]), read)


def _way(name: str, way: IsoRewrite) -> str:
    pattern = spark_text(way.pattern)
    iso = f"regexp_replace({name}, {pattern}, {spark_text(way.iso)})"
    iso = f"regexp_replace({iso}, '^([0-9]{{1,3}})-', '000$1-')"
    stamp = f"TRY_CAST({iso} AS TIMESTAMP_NTZ)"
    if way.half_day is None:
        return f"CASE WHEN {name} RLIKE {pattern} THEN {stamp} END"
    half = f"upper(regexp_extract({name}, {pattern}, {way.half_day}))"
    hour = f"hour({stamp})"
    shift = f"CASE WHEN {half} = 'PM' AND {hour} < 12 THEN 12 WHEN {half} = 'AM' AND {hour} = 12 THEN -12 ELSE 0 END"
    return (
        f"CASE WHEN {name} RLIKE {pattern} AND {hour} BETWEEN 1 AND 12 "
        f"THEN {stamp} + make_dt_interval(0, {shift}, 0, 0) END"
    )


def _zoned(arguments: Sequence[Sequence[Node]]) -> str:
    zone, stamp = _write(arguments[0]), _write(arguments[1])
    # An instant is told by its wall time in UTC; DuckDB writes it as a call of its own.
    return stamp if zone == "'UTC'" else f"convert_timezone('UTC', {zone}, {stamp})"


def _struct(arguments: Sequence[Sequence[Node]]) -> str:
    pairs = []
    for argument in arguments:
        place = list(argument).index(":=")
        name = str(argument[0])
        pairs.append(f"{spark_text(name)}, {_write(argument[place + 1 :]).strip()}")
    return f"named_struct({', '.join(pairs)})"


def _hash(arguments: Sequence[Sequence[Node]]) -> str:
    cells = [_write(argument) for argument in arguments]
    # Spark's leaves NULL out: a cell that moves into the next column must not look the same.
    return f"xxhash64({', '.join([*cells, *(f'{cell} IS NULL' for cell in cells)])})"


def _composed(arguments: Sequence[Sequence[Node]]) -> str:
    text = _write(arguments[0])
    composed = f"java_method('com.ibm.icu.text.Normalizer', 'compose', {text}, false)"
    return f"CASE WHEN {text} RLIKE '[^\\\\x00-\\\\x7F]' THEN {composed} ELSE {text} END"


def _of_neighbours(name: str) -> _Call:
    def write(arguments: Sequence[Sequence[Node]]) -> str:
        value = _write(arguments[0]).strip()
        bare = value.removesuffix("IGNORE NULLS").strip()
        return f"{name}({bare}){' IGNORE NULLS' if bare != value else ''}"

    return write


def _as(template: str) -> _Call:
    def write(arguments: Sequence[Sequence[Node]]) -> str:
        return template.format(*(_write(argument) for argument in arguments))

    return write


_CALLS: Final[Mapping[str, _Call]] = {
    "regexp_matches": _matches,
    "regexp_full_match": _fits_whole,
    "regexp_extract": _extracted,
    "regexp_replace": _replaced,
    "try_cast": _try_cast,
    "cast": _cast,
    "try_strptime": _strptime,
    "timezone": _zoned,
    "struct_pack": _struct,
    "struct_extract": lambda parts: f"({_write(parts[0])}).{_literal(parts[1])}",
    "hash": _hash,
    "nfc_normalize": _composed,
    "first_value": _of_neighbours("first_value"),
    "last_value": _of_neighbours("last_value"),
    # Java writes two letters for one and another sigma at the end of a word.
    "lower": _as("lower(translate({0}, 'Σİ', 'σi'))"),
    "strlen": _as("octet_length({0})"),
    "trim": lambda parts: f"btrim({', '.join(_write(part) for part in parts)})",
    "chr": lambda parts: spark_text(chr(int(_write(parts[0])))),
    "make_timestamp": _as("CAST(timestamp_micros({0}) AS TIMESTAMP_NTZ)"),
    "to_seconds": _as("make_dt_interval(0, 0, 0, {0})"),
    "to_minutes": _as("make_dt_interval(0, 0, {0}, 0)"),
    "date_diff": lambda parts: f"datediff({_write(parts[2])}, {_write(parts[1])})",
}
