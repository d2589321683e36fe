"""Objects that are lists of other needles."""

from __future__ import annotations

import gzip
import json
from typing import Iterator

from tests.conformance.case import NOWHERE, Case, Keys
from tests.conformance.exchange import Request, get, post
from tests.conformance.samples import STAMP
#: Texts that are manifests of sorts; ONE and TWO stand for chunks of ten bytes.
ODD = {
    "unknown field": '{"name":"a.txt","more":[{}],"chunks":[{"fid":"ONE","offset":0,"size":10,"x":1}]}',
    "upper case": '{"NAME":"a.txt","Mime":"text/css","CHUNKS":[{"FID":"ONE","Offset":0,"SIZE":10}]}',
    "twice": '{"name":"a.txt","name":"b.html","chunks":[{"fid":"ONE","offset":0,"size":10}]}',
    "list twice": '{"chunks":[{"fid":"ONE","offset":0,"size":10}],"chunks":[{"fid":"TWO","offset":0,"size":10}]}',
    "nulls": '{"name":null,"mime":null,"size":null,"chunks":null}',
    "null chunk": '{"chunks":[null,{"fid":"ONE","offset":0,"size":10}]}',
    "gap": '{"chunks":[{"fid":"ONE","offset":0,"size":10},{"fid":"TWO","offset":15,"size":10}]}',
    "overlap": '{"chunks":[{"fid":"ONE","offset":0,"size":10},{"fid":"TWO","offset":5,"size":10}]}',
    "unsorted": '{"chunks":[{"fid":"TWO","offset":10,"size":10},{"fid":"ONE","offset":0,"size":10}]}',
    "too small": '{"chunks":[{"fid":"ONE","offset":0,"size":4},{"fid":"TWO","offset":4,"size":10}]}',
    "too large": '{"chunks":[{"fid":"ONE","offset":0,"size":14},{"fid":"TWO","offset":14,"size":10}]}',
    "last too large": '{"chunks":[{"fid":"ONE","offset":0,"size":10},{"fid":"TWO","offset":10,"size":20}]}',
    "negative": '{"chunks":[{"fid":"ONE","offset":-5,"size":10},{"fid":"TWO","offset":5,"size":10}]}',
    "negative size": '{"chunks":[{"fid":"ONE","offset":0,"size":-10}]}',
    "no size": '{"chunks":[{"fid":"ONE"}]}',
    "wrong size": '{"size":5,"chunks":[{"fid":"ONE","offset":0,"size":10}]}',
    "text size": '{"size":"5","chunks":[]}',
    "float size": '{"chunks":[{"fid":"ONE","offset":0,"size":10.0}]}',
    "exponent": '{"chunks":[{"fid":"ONE","offset":0,"size":1e1}]}',
    "number name": '{"name":5,"chunks":[]}',
    "chunk list": '{"chunks":[[]]}',
    "chunk object": '{"chunks":{"fid":"ONE"}}',
    "no chunks": '{"name":"a.txt","mime":"text/plain","size":0,"chunks":[]}',
    "trailing": '{"chunks":[]} x',
    "two values": '{"chunks":[]}{"chunks":[]}',
    "spaces": ' \n{ "chunks" : [ ] }\n',
    "bom": '\ufeff{"chunks":[]}',
    "null": "null",
    "true": "true",
    "number": "5",
    "nan": '{"size":NaN}',
    "huge": '{"size":99999999999999999999,"chunks":[]}',
    "escapes": '{"name":"\\u00e9\\ud83d\\ude00\\ud800.txt","mime":"a\\/b","chunks":[{"fid":"ONE","size":10}]}',
    "octets": '{"mime":"application/octet-stream","name":"x.html","chunks":[{"fid":"ONE","offset":0,"size":10}]}',
    "odd mime": '{"mime":"a b\\n","name":"x.html","chunks":[{"fid":"ONE","offset":0,"size":10}]}',
    "path name": '{"name":"dir/x.html","chunks":[{"fid":"ONE","offset":0,"size":10}]}',
    "no such chunk": '{"chunks":[{"fid":"1,ffffffffff","offset":0,"size":10}]}',
    "second missing": '{"chunks":[{"fid":"ONE","offset":0,"size":10},{"fid":"1,ffffffffff","offset":10,"size":5}]}',
    "odd fid": '{"chunks":[{"fid":"x","offset":0,"size":10}]}',
    "empty fid": '{"chunks":[{"fid":"","offset":0,"size":10}]}',
    "fid with name": '{"chunks":[{"fid":"ONE.txt","offset":0,"size":10}]}',
    "unclosed": '{"chunks":[',
    "same twice": '{"chunks":[{"fid":"ONE","offset":0,"size":10},{"fid":"ONE","offset":10,"size":10}]}',
}
PACKED = ("Content-Encoding", "gzip")
PARTS = (
    "bytes=0-4", "bytes=8-12", "bytes=-5", "bytes=10-", "bytes=19-", "bytes=20-", "bytes=0-1,18-19", "bytes=5-2",
    "bytes=0-")


def cases() -> Iterator[Case]:
    """All of them."""
    keys = Keys(0x240000)
    yield from _whole(keys)
    yield from _squeezed(keys)
    yield from _broken(keys)
    yield from _read(keys)
    yield from _odd(keys)


def manifest(one: str, two: str) -> dict[str, object]:
    """A manifest of two chunks of ten bytes."""
    return {
        "name": "whole.txt",
        "mime": "text/plain",
        "size": 20,
        "chunks": [{"fid": one, "offset": 0, "size": 10}, {"fid": two, "offset": 10, "size": 10}],
    }


def _chunks(one: str, two: str) -> tuple[Request, Request]:
    return post(f"/{one}", b"0123456789", method="PUT"), post(f"/{two}", b"abcdefghij", method="PUT")


def _whole(keys: Keys) -> Iterator[Case]:
    one, two, whole = keys.fid(), keys.fid(), keys.path()
    setup, text = _chunks(one, two), json.dumps(manifest(one, two)).encode()
    reads = [
        get(whole),
        get(whole + "?cm=false"),
        get(whole, method="HEAD"),
        get(whole, ("Range", "bytes=8-12")),
        get(whole, ("Range", "bytes=0-1,18-19")),
        get(whole, ("Range", "bytes=30-")),
        get(whole + "?dl=1"),
        get(whole + ".html"),
        get(whole, ("Accept-Encoding", "gzip")),
    ]
    yield Case(
        "manifest",
        (
            *setup,
            post(f"{whole}{STAMP}&cm=true", text, ("Content-Type", "application/json")),
            *reads,
            post(whole, b"", method="DELETE"),
            get(whole),
            get(f"/{one}"),
            get(f"/{two}"),
        ),
        True,
    )


def _squeezed(keys: Keys) -> Iterator[Case]:
    one, two, squeezed = keys.fid(), keys.fid(), keys.path()
    text = json.dumps(manifest(one, two)).encode()
    yield Case(
        "manifest gzip",
        (
            *_chunks(one, two),
            post(
                f"{squeezed}{STAMP}&cm=1",
                gzip.compress(text, mtime=0),
                ("Content-Encoding", "gzip"),
                method="PUT",
            ),
            get(squeezed),
            get(squeezed + "?cm=false"),
            get(squeezed, method="HEAD"),
        ),
        True,
    )


def _broken(keys: Keys) -> Iterator[Case]:
    ordinary = manifest(keys.fid(), keys.fid())
    for name, broken in {
        "not json": b"{nope",
        "empty": b"{}",
        "list": b"[]",
        "missing chunk": json.dumps(
            {**ordinary, "chunks": [{"fid": f"{NOWHERE},0123456789", "offset": 0, "size": 5}]}
        ).encode(),
    }.items():
        path = keys.path()
        yield Case(
            f"manifest {name}",
            (
                post(f"{path}{STAMP}&cm=true", broken, method="PUT"),
                get(path),
                get(path + "?cm=false"),
                get(path, method="HEAD"),
                post(path, b"", method="DELETE"),
            ),
            True,
        )


def _read(keys: Keys) -> Iterator[Case]:
    one, two = keys.fid(), keys.fid()
    text = json.dumps(manifest(one, two)).encode()
    for name, upload in {
        "plain": post(keys.path() + STAMP + "&cm=true", text, method="PUT"),
        "packed": post(keys.path() + STAMP + "&cm=true", gzip.compress(text, mtime=0), PACKED, method="PUT"),
    }.items():
        path = upload.target.partition("?")[0]
        reads = [
            get(path + query, *headers, method=method, public=public)
            for method in ("GET", "HEAD")
            for public in (False, True)
            for query in ("", "?cm=false", ".css", "?dl=1&response-content-type=a/b")
            for part in ("", *PARTS)
            for headers in _headers(part)
        ]
        yield Case(f"manifest read {name}", (*_chunks(one, two), upload, *reads), fixed_times=True)


def _headers(part: str) -> list[list[tuple[str, str]]]:
    headers = [("Range", part)] if part else []
    return [headers, [*headers, ("Accept-Encoding", "gzip")]]


def _odd(keys: Keys) -> Iterator[Case]:
    for name, text in ODD.items():
        one, two, path = keys.fid(), keys.fid(), keys.path()
        known = "answers-instead-of-hanging-up" if name == "null chunk" else ""
        data = text.replace("ONE", one).replace("TWO", two).encode("utf-8", "surrogatepass")
        yield Case(
            f"manifest odd {name}",
            (
                *_chunks(one, two),
                post(f"{path}{STAMP}&cm=true", data, method="PUT"),
                get(path),
                get(path, method="HEAD"),
                get(path, ("Range", "bytes=3-12")),
                get(path, ("Range", "bytes=-3")),
                get(path + "?cm=false"),
                get(path + "?cm=0&dl=true"),
                Request("DELETE", path),
                get(path),
                get(f"/{one}"),
            ),
            fixed_times=True,
            known=known,
            keeps_outline=False,
        )
