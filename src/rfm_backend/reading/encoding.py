"""How the bytes of a text file are read as characters, decided on the whole file.

In:  a file, perhaps the encoding that the user named.
Out: `TextFacts`: encoding, line ends, whether there are quotes or NUL bytes; or a UTF-8 copy.

What always holds
    * a byte order mark wins, then the user's word, then UTF-16 by its NUL pattern, then strict UTF-8
      over the whole file, then Windows-1252, then Latin-1;
    * the copy holds the same characters as the file, with plain line feeds.

What it does not do: it guesses no language.  Statistical guessers took Portuguese for Polish; what
exports use besides UTF is Windows-1252, and anything else can be named.
"""

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rfm_backend.advice import option
from rfm_backend.errors import InvalidOption, UnreadableFile
from rfm_backend.progress import Progress, Step

CHUNK_BYTES: Final = 1024 * 1024
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8: Final = ("utf-8", "utf-8-sig", "ascii")
# Bytes that Windows-1252 leaves undefined.
_NOT_CP1252: Final = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])


class BinaryFile(Protocol):
    """An open binary file, such as standard input."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""


@dataclass(frozen=True, kw_only=True)
class TextFacts:
    """What a whole file showed: how it is encoded, and what its scanner must know."""

    encoding: str
    has_quotes: bool
    has_mixed_line_ends: bool

    @property
    def needs_copy(self) -> bool:
        """Whether the engine cannot scan the file as it is."""
        return self.encoding not in _UTF8 or self.has_mixed_line_ends


def find_encoding(path: Path, name: str, *, asked: str | None, progress: Progress) -> TextFacts:
    """Return what the whole file shows.

    Raises
    ------
    InvalidOption
        Python knows no encoding of the name asked for.
    UnreadableFile
        NUL bytes in a text of one byte per character: damaged, or no text.
    """
    with path.open("rb") as stream:
        start = stream.read(4096)
    encoding = _marked(start) or _checked(asked) or _wide(start)
    scan = _Scan()
    size = path.stat().st_size
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            scan.take(chunk)
            progress(Step(stage="check", done=scan.n_bytes, total=size, unit="bytes"))
    scan.finish()
    is_wide = encoding is not None and encoding.startswith(("utf-16", "utf-32"))
    if scan.first_nul is not None and not is_wide:
        line = _line_at(path, scan.first_nul)
        raise UnreadableFile(
            f"{name}, line {line}: there is a NUL byte, so this is no text file, or it is "
            "damaged. Export it again as CSV or XLSX; if it is UTF-16, say "
            f"{option('encoding', 'utf-16')}.",
            file=name,
            line=line,
        )
    if encoding is None:
        encoding = scan.narrow_encoding()
    return TextFacts(
        encoding=encoding,
        has_quotes=scan.has_quotes or is_wide,
        has_mixed_line_ends=scan.has_mixed_line_ends or is_wide,
    )


def copy_as_utf8(
    source: Path, target: Path, name: str, *, encoding: str, progress: Progress
) -> None:
    """Write `source` to `target` as UTF-8 with plain line feeds.

    Raises
    ------
    UnreadableFile
        A byte is no character of `encoding`; the message says on which line.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    keeps_ascii = _keeps_ascii(encoding)
    done, lines, size = 0, 1, source.stat().st_size
    ends = _LineEnds()
    with source.open("rb") as reading, target.open("wb") as writing:
        while True:
            chunk = reading.read(CHUNK_BYTES)
            try:
                if keeps_ascii and chunk.isascii() and not decoder.getstate()[0]:
                    text = chunk
                else:
                    text = decoder.decode(chunk, final=not chunk).encode("utf-8")
                writing.write(ends.plain(text, final=not chunk))
            except UnicodeError as error:
                line = lines + chunk[: getattr(error, "start", 0)].count(b"\n")
                raise UnreadableFile(
                    f"{name}, line {line}: not readable as {encoding}. Say which encoding the file "
                    f"has, for example {option('encoding', 'cp1252')}.",
                    file=name,
                    line=line,
                    encoding=encoding,
                ) from error
            done += len(chunk)
            lines += chunk.count(b"\n")
            progress(Step(stage="unpack", done=done, total=size, unit="bytes"))
            if not chunk:
                return


def copy_stream(
    source: BinaryFile, target: Path, name: str, *, most: int, progress: Progress
) -> None:
    """Write all bytes of a stream to `target`, refusing more than `most`."""
    done = 0
    with target.open("wb") as writing:
        while chunk := source.read(CHUNK_BYTES):
            done += len(chunk)
            if done > most:
                raise UnreadableFile(f"{name} is larger than {most >> 30} GiB.", file=name)
            writing.write(chunk)
            progress(Step(stage="unpack", done=done, total=None, unit="bytes"))


class _Scan:
    """What chunks of a file show when they pass by, mostly at the speed of memory."""

    def __init__(self) -> None:
        self.n_bytes = 0
        self.has_quotes = False
        self.first_nul: int | None = None
        self._line_ends: set[bytes] = set()
        self._ended_with_cr = False
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._is_cp1252 = True

    @property
    def has_mixed_line_ends(self) -> bool:
        """The engine takes one kind of line end for a whole file, and a lone CR only by itself."""
        return len(self._line_ends) > 1

    def take(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        self.has_quotes = self.has_quotes or b'"' in chunk
        if self.first_nul is None and (place := chunk.find(0)) >= 0:
            self.first_nul = self.n_bytes + place
        self.n_bytes += len(chunk)
        self._note_line_ends(chunk)
        if self._utf8 is None and not self._is_cp1252:
            return
        if chunk.isascii() and self._utf8 is not None and self._utf8.getstate()[0] == b"":
            return
        self._decode(chunk)

    def _note_line_ends(self, chunk: bytes) -> None:
        if self._ended_with_cr:
            chunk = b"\r" + chunk
        self._ended_with_cr = chunk.endswith(b"\r")
        if self._ended_with_cr:
            chunk = chunk[:-1]
        if b"\r" not in chunk:
            # Whether there is one is found at once; how many, only by looking at all.
            if b"\n" in chunk:
                self._line_ends.add(b"\n")
            return
        n_crlf = chunk.count(b"\r\n")
        found = {
            b"\r\n": n_crlf,
            b"\n": chunk.count(b"\n") - n_crlf,
            b"\r": chunk.count(b"\r") - n_crlf,
        }
        self._line_ends |= {end for end, number in found.items() if number}

    def finish(self) -> None:
        """Take in what the last chunk left open."""
        if self._ended_with_cr:
            self._line_ends.add(b"\r")

    def _decode(self, chunk: bytes) -> None:
        if self._utf8 is not None:
            try:
                self._utf8.decode(chunk)
            except UnicodeDecodeError:
                self._utf8 = None
        if any(byte in chunk for byte in _NOT_CP1252):
            self._is_cp1252 = False

    def narrow_encoding(self) -> str:
        """Return the encoding of a file of narrow characters."""
        if self._utf8 is not None and self._utf8.getstate()[0] == b"":
            return "utf-8"
        return "cp1252" if self._is_cp1252 else "latin-1"


class _LineEnds:
    """Makes every line end a line feed, also where a chunk ends between CR and LF."""

    def __init__(self) -> None:
        self._held = b""

    def plain(self, text: bytes, *, final: bool) -> bytes:
        """Return UTF-8 with line feeds only; a trailing CR waits for the next chunk."""
        text = self._held + text
        self._held = b""
        if text.endswith(b"\r") and not final:
            self._held, text = b"\r", text[:-1]
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _keeps_ascii(encoding: str) -> bool:
    """Tell whether ASCII bytes stand for themselves, so that they need no decoding."""
    try:
        return bytes(range(128)).decode(encoding) == "".join(map(chr, range(128)))
    except UnicodeError:
        return False


def _line_at(path: Path, offset: int) -> int:
    line = 1
    with path.open("rb") as stream:
        while offset > 0 and (chunk := stream.read(min(CHUNK_BYTES, offset))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return line


def _marked(start: bytes) -> str | None:
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def _checked(asked: str | None) -> str | None:
    if asked is None:
        return None
    try:
        # Refuses "zip" and "rot13" as well, which turn no bytes into text.
        "".encode(asked)
    except LookupError:
        raise InvalidOption(
            f"There is no text encoding {asked!r}: give one such as utf-8, cp1252 or utf-16.",
            option="encoding",
        ) from None
    return codecs.lookup(asked).name


def _wide(start: bytes) -> str | None:
    """Recognise UTF-16 without a mark: every other byte of European text is NUL."""
    even, odd = start[0::2], start[1::2]
    if not start or 0 not in start[:200]:
        return None
    if odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.4 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None
