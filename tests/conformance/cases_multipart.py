"""Multipart uploads in every shape, whole and broken."""

from __future__ import annotations

from typing import Iterator

from tests.conformance.case import Case, Keys
from tests.conformance.exchange import get, multipart, post
from tests.conformance.samples import md5, stored

FILE = [("Content-Disposition", 'form-data; name="file"; filename="f.bin"')]
PLAIN_FIELD = [("Content-Disposition", 'form-data; name="note"')]
TIMED = multipart([([("Content-Disposition", 'form-data; name="ts"')], b"1600000000"), (FILE, b"x")])
KIND = ("Content-Type", "multipart/form-data; boundary=frontier")
SHAPES: dict[str, bytes] = {
    "note then file": multipart([(PLAIN_FIELD, b"note"), (FILE, b"the file")]),
    "two files": multipart([(FILE, b"first"), (FILE, b"second")]),
    "notes only": multipart([(PLAIN_FIELD, b"a"), (PLAIN_FIELD, b"b")]),
    "no headers": multipart([([], b"bare")]),
    "no disposition": multipart([([("Content-Type", "text/css")], b"bare{}")]),
    "empty part": multipart([(FILE, b"")]),
    "quoted printable": multipart(
        [([*FILE, ("Content-Transfer-Encoding", "quoted-printable")], b"a=3Db=\r\nc")]
    ),
    "base64 kept": multipart([([*FILE, ("Content-Transfer-Encoding", "base64")], b"aGVsbG8=")]),
    "preamble": b"ignore me\r\n" + multipart([(FILE, b"x")]),
    "epilogue": multipart([(FILE, b"x")]) + b"trailing",
    "lf only": multipart([(FILE, b"x")]).replace(b"\r\n", b"\n"),
    "boundary in data": multipart([(FILE, b"a\r\n--frontie\r\nb--frontier\r\n")]),
    "not closed": multipart([(FILE, b"abc")])[:-4],
    "cut in data": multipart([(FILE, b"abcdef")])[:-20],
    "cut in head": multipart([(FILE, b"abc")])[:30],
    "empty": b"",
    "only end": b"--frontier--\r\n",
    "only start": b"--frontier\r\n",
    "wrong boundary": multipart([(FILE, b"x")], "other"),
    "bad header": b"--frontier\r\nnocolon\r\n\r\nx\r\n--frontier--\r\n",
    "spaces after boundary": b"--frontier  \r\n" + multipart([(FILE, b"x")])[len(b"--frontier\r\n") :],
    "md5 in part": multipart([([*FILE, ("Content-MD5", md5(b"right"))], b"right")]),
    "md5 wrong in part": multipart([([*FILE, ("Content-MD5", md5(b"wrong"))], b"right")]),
    "name star": multipart(
        [([("Content-Disposition", "form-data; name=f; filename*=utf-8''%e2%82%ac.txt")], b"x")]
    ),
    "json field": multipart(
        [([("Content-Disposition", 'form-data; name="j"'), ("Content-Type", "application/json")], b"{}")]
    ),
    "form fields": TIMED,
}
TYPES = (
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="frontier"',
    "multipart/form-data; boundary=frontier; x=y",
    "MULTIPART/FORM-DATA; boundary=frontier",
    "form-data",
    "multipart/mixed; boundary=frontier",
    "multipart/form-data; boundary=a b",
    "x-form-data; boundary=frontier",
    "",
)


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x130000)
    yield from _shapes(keys)


def _shapes(keys: Keys) -> Iterator[Case]:
    for name, body in SHAPES.items():
        yield stored(f"multipart {name}", path := keys.path(), post(path, body, KIND))
    path = keys.path()
    yield Case("form fields alone", (post(path, TIMED, KIND), get(path)), True, known="form-fields")
    ordinary = multipart([(FILE, b"ordinary")])
    for text in TYPES:
        yield stored(
            f"multipart type {text!r}",
            path := keys.path(),
            post(path, ordinary, *([("Content-Type", text)] if text else [])),
        )
    yield stored("form by put", path := keys.path(), post(path, ordinary, KIND, method="PUT"))
