"""Forged tokens, each with what is wrong with it, and what writes them.

They are written by hand with hmac and base64 after RFC 7515 and RFC 7519, since the library that makes
ours refuses to make some of them.  The attacks are those of RFC 8725 (JSON Web Token Best Current
Practices) and of OWASP's Web Security Testing Guide, WSTG-SESS-10.
"""

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HEADER = {"alg": "HS256", "typ": "JWT"}
OTHER_KEY = b"k" * 32


@dataclass(frozen=True)
class Real:
    """A token that holds, what it says, and the key that it was signed with."""

    token: str
    claims: dict[str, Any]
    key: bytes

    @property
    def parts(self) -> tuple[str, str, str]:
        head, body, signature = self.token.split(".")
        return head, body, signature


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def signed(body: bytes, key: bytes, *, header: object = HEADER, digest: str = "sha256") -> str:
    """Return a token over any bytes, signed as RFC 7515 says."""
    head = header if isinstance(header, bytes) else compact(header)
    whole = f"{b64(head)}.{b64(body)}"
    return f"{whole}.{b64(hmac.new(key, whole.encode(), digest).digest())}"


def other_claims(**change: object) -> Callable[[Real], str]:
    """A token that only we could sign, with claims as we never write them."""
    return lambda real: signed(compact({**real.claims, **change}), real.key)


def left_out(name: str) -> Callable[[Real], str]:
    """A token without one of its claims."""
    return lambda real: signed(
        compact({key: value for key, value in real.claims.items() if key != name}), real.key
    )


def other_header(key: bytes | None = None, **change: object) -> Callable[[Real], str]:
    return lambda real: signed(
        compact(real.claims), real.key if key is None else key, header={**HEADER, **change}
    )


def other_body(make: Callable[[Real], bytes]) -> Callable[[Real], str]:
    return lambda real: signed(make(real), real.key)


def moved(name: str, seconds: float, kind: Callable[[Any], object] = int) -> Callable[[Real], str]:
    """A claim at a time from now, of another type."""
    return other_claims(**{name: kind(time.time() + seconds)})


def twin(real: Real) -> str:
    """Return the other text of the same signature: 43 letters hold two bits more than 32 bytes."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return real.token[:-1] + letters[letters.index(real.token[-1]) ^ 1]


def twice(name: str, other: object) -> Callable[[Real], str]:
    """A claim that is there twice: readers differ in which they take."""
    return other_body(
        lambda real: compact(real.claims)[:-1] + b"," + compact({name: other})[1:-1] + b"}"
    )


def said_twice(name: str) -> Callable[[Real], str]:
    return other_body(
        lambda real: (
            b"{" + compact({name: real.claims[name]})[1:-1] + b"," + compact(real.claims)[1:]
        )
    )


def each(name: str, *values: object) -> dict[str, Callable[[Real], str]]:
    """One claim with each of several values that it never has."""
    return {f"{name} is {value!r:.30}": other_claims(**{name: value}) for value in values}


FORGED: dict[str, Callable[[Real], str]] = {
    # No token at all.
    "a letter": lambda _: "x",
    "the scheme twice": lambda real: f"Bearer {real.token}",
    "two dots": lambda _: "..",
    "three parts of nothing": lambda _: "a.b.c",
    "two parts": lambda real: ".".join(real.parts[:2]),
    "four parts": lambda real: f"{real.token}.{real.parts[2]}",
    "five parts, as an encrypted one": lambda real: f"{real.token}.a.b",
    "huge": lambda _: "x" * 5_000,
    "huge in three parts": lambda _: f"{'e' * 2_000}.{'e' * 2_000}.{'e' * 2_000}",
    "a thousand dots": lambda _: "." * 1_000,
    "JSON": lambda real: json.dumps(real.claims),
    "two tokens": lambda real: f"{real.token} {real.token}",
    "a comma and another": lambda real: f"{real.token},{real.token}",
    "percent": lambda real: real.token.replace(".", "%2E"),
    "unicode": lambda _: "токен",
    "full-width dots": lambda real: real.token.replace(".", "．"),
    "a letter with an accent": lambda real: real.token + "é",
    "a lone surrogate": lambda real: real.token + "\udc80",
    "a word of SQL": lambda _: "' OR '1'='1",
    "a header of many levels": lambda real: signed(b"[" * 2_500, real.key, header=b"[" * 2_500),
    "claims of many levels": other_body(lambda _: b"[" * 2_500),
    # Other texts of the same token.
    "= appended": lambda real: f"{real.token}=",
    "== appended": lambda real: f"{real.token}==",
    "= after the header": lambda real: "{}=.{}.{}".format(*real.parts),
    "= after the claims": lambda real: "{}.{}=.{}".format(*real.parts),
    "the twin of its signature": twin,
    "a mark within the signature": lambda real: f"{real.token[:-20]}!{real.token[-20:]}",
    "a blank within the signature": lambda real: f"{real.token[:-20]} {real.token[-20:]}",
    "a tab behind the header": lambda real: "{}\t.{}.{}".format(*real.parts),
    "a dot appended": lambda real: f"{real.token}.",
    "a dot before": lambda real: f".{real.token}",
    "capitals": lambda real: real.token.upper(),
    "small letters": lambda real: real.token.lower(),
    "backwards": lambda real: real.token[::-1],
    "standard base64": lambda real: real.token.replace("-", "+").replace("_", "/") + "+",
    # The signature is not ours.
    "no signature": lambda real: "{}.{}.".format(*real.parts),
    "a short signature": lambda real: real.token[:-1],
    "a long signature": lambda real: real.token + "AAAA",
    "a signature of zeros": lambda real: "{}.{}.".format(*real.parts) + b64(bytes(32)),
    "one bit of the signature": lambda real: (
        "{}.{}.".format(*real.parts)
        + b64(bytes([base64.urlsafe_b64decode(real.parts[2] + "=")[0] ^ 1]))
        + real.parts[2][2:]
    ),
    "another key": lambda real: signed(compact(real.claims), OTHER_KEY),
    "an empty key": lambda real: signed(compact(real.claims), b""),
    "a key that everybody knows": lambda real: signed(compact(real.claims), b"secret"),
    "the claims of another signature": lambda real: "{}.{}.{}".format(
        real.parts[0], b64(compact({**real.claims, "sub": "999"})), real.parts[2]
    ),
    "a longer life with the old signature": lambda real: "{}.{}.{}".format(
        real.parts[0], b64(compact({**real.claims, "exp": real.claims["exp"] + 1})), real.parts[2]
    ),
    # The header.
    "none": lambda real: f"{b64(compact({'alg': 'none', 'typ': 'JWT'}))}.{real.parts[1]}.",
    "None": lambda real: f"{b64(compact({'alg': 'None'}))}.{real.parts[1]}.",
    "nOnE": lambda real: f"{b64(compact({'alg': 'nOnE'}))}.{real.parts[1]}.",
    "none with a signature": other_header(alg="none"),
    "none with the old signature": lambda real: "{}.{}.{}".format(
        b64(compact({"alg": "none"})), *real.parts[1:]
    ),
    "an empty algorithm": other_header(alg=""),
    "an algorithm that is no text": other_header(alg=256),
    "an algorithm that is nothing": other_header(alg=None),
    "a list of algorithms": other_header(alg=["HS256"]),
    "no algorithm": lambda real: signed(compact(real.claims), real.key, header={"typ": "JWT"}),
    "hs256": other_header(alg="hs256"),
    "HS384": lambda real: signed(
        compact(real.claims), real.key, header={**HEADER, "alg": "HS384"}, digest="sha384"
    ),
    "HS512": lambda real: signed(
        compact(real.claims), real.key, header={**HEADER, "alg": "HS512"}, digest="sha512"
    ),
    "RS256": other_header(alg="RS256"),
    "ES256": other_header(alg="ES256"),
    "PS256": other_header(alg="PS256"),
    "EdDSA": other_header(alg="EdDSA"),
    "a kid": other_header(kid="1"),
    "a kid that is a path": other_header(kid="../../../../dev/null"),
    "a kid that is a path, with its key": other_header(key=b"", kid="../../../../dev/null"),
    "a kid that is SQL": other_header(kid="x' UNION SELECT 'key"),
    "a kid that is no text": other_header(kid=7),
    "an address of keys": other_header(jku="https://example.com/keys.json"),
    "a key of its own": other_header(
        key=OTHER_KEY, jwk={"kty": "oct", "k": b64(OTHER_KEY), "alg": "HS256"}
    ),
    "a certificate of its own": other_header(x5u="https://example.com/cert.pem"),
    "crit": other_header(crit=["exp"]),
    "b64 false": other_header(b64=False, crit=["b64"]),
    "a nested one": other_header(cty="JWT"),
    "compressed": other_header(zip="DEF"),
    "another type": other_header(typ="at+jwt"),
    "a header with blanks": lambda real: signed(
        compact(real.claims), real.key, header=b'{"alg": "HS256", "typ": "JWT"}'
    ),
    "a header with the algorithm twice": lambda real: signed(
        compact(real.claims), real.key, header=b'{"alg":"none","alg":"HS256","typ":"JWT"}'
    ),
    "a header that is a list": lambda real: signed(compact(real.claims), real.key, header=b"[]"),
    "a header that is no JSON": lambda real: signed(compact(real.claims), real.key, header=b"{"),
    "a header that is no text": lambda real: signed(
        compact(real.claims), real.key, header=b"\xff\xfe"
    ),
    # The claims, signed as only we could: what a fault of ours elsewhere must not make good.
    "claims that are a list": other_body(lambda _: b"[]"),
    "claims that are null": other_body(lambda _: b"null"),
    "claims that are a text": other_body(lambda _: b'"sub"'),
    "claims that are no JSON": other_body(lambda _: b"{'sub': 1}"),
    "claims that are no text": other_body(lambda _: b"\xff\xfe{}"),
    "no claims": other_body(lambda _: b"{}"),
    "claims with blanks": other_body(lambda real: json.dumps(real.claims).encode()),
    "claims with a line behind": other_body(lambda real: compact(real.claims) + b"\n"),
    "claims with a mark of order": other_body(lambda real: b"\xef\xbb\xbf" + compact(real.claims)),
    "claims of UTF-16": other_body(lambda real: compact(real.claims).decode().encode("utf-16")),
    "claims without end": other_body(lambda _: b"[" * 3_000),
    "a number without end": other_body(lambda _: b'{"exp":' + b"9" * 4_000 + b"}"),
    "one claim more": other_claims(admin=True),
    "the user twice": twice("sub", "1"),
    "the end twice": twice("exp", 9_999_999_999),
    "the same user said twice": said_twice("sub"),
    "the same end said twice": said_twice("exp"),
    **{f"no {name}": left_out(name) for name in ("iss", "aud", "typ", "sub", "jti", "tv")},
    **{f"no {name}": left_out(name) for name in ("iat", "nbf", "exp")},
    **each("exp", True, False, None, "", "9999999999", [], {}, 10**30, -1, float("inf")),
    **each("iat", True, False, None, "", "9999999999", [], {}, 10**30, -1, float("inf")),
    **each("nbf", True, False, None, "", "9999999999", [], {}, 10**30, -1, float("inf")),
    "exp was": moved("exp", -1),
    "exp is a fraction": moved("exp", 60, float),
    "exp is a text": moved("exp", 60, lambda at: str(int(at))),
    "iat is a fraction": moved("iat", -1, float),
    "iat is a text": moved("iat", -1, lambda at: str(int(at))),
    "iat is to come": moved("iat", 600),
    "nbf is to come": moved("nbf", 600),
    "nbf is a fraction": moved("nbf", -1, float),
    "a life longer than ours": moved("exp", 9 * 3600),
    **each(
        "sub", "", "0", "-1", "1e3", " 1", "٣", "9" * 30, "\0", "1; --", 1, 1.0, True, None, ["1"]
    ),
    "sub with a nought before": lambda real: other_claims(sub="0" + real.claims["sub"])(real),
    "sub of nobody": other_claims(sub="999999999"),
    **each("jti", "", "other", 7, True, None, [], "%", "_" * 43, "\ud800", "é" * 43, "x" * 5_000),
    # MariaDB compares texts without the blanks at their end.
    "jti with a blank behind": lambda real: other_claims(jti=real.claims["jti"] + " ")(real),
    "jti in capitals": lambda real: other_claims(jti=real.claims["jti"].swapcase())(real),
    "tv of the next": lambda real: other_claims(tv=real.claims["tv"] + 1)(real),
    **each("tv", 0, -1, True, 1.0, "1", None, []),
    **each("typ", "refresh", "", None, True),
    **each("iss", "somebody", "", None, 1, ["rfm-backend"]),
    **each("aud", "somebody", "", None, 1, ["rfm-backend"], ["a", "b"]),
    # A named token's beginning.
    "the beginning alone": lambda _: "rfm_",
    "a named one of nobody's": lambda _: "rfm_" + "x" * 43,
    "a named one, huge": lambda _: "rfm_" + "x" * 5_000,
    "a named one with a surrogate": lambda _: "rfm_\ud800",
    "a login's token as a named one": lambda real: f"rfm_{real.token}",
}
