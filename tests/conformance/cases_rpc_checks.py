"""Calls that look into what is stored: ScrubVolume, of sound and of broken volumes, and Query."""

from __future__ import annotations

import struct
from typing import Any, Iterable, Iterator

from tests.conformance.cases_rpc_needles import BAD_FIDS
from tests.conformance.cases_rpc_volumes import fid, look, put, remove
from tests.conformance.rpc_steps import Call, Restart, RpcCase, Spoil, Step, call

VOLUME, OTHER, EMPTY, LINES = 1, 2, 3, 4
MODES = (0, 1, 2, 3, 4, 99, -1)
TEXT = (
    b'{"score":3,"name":"Ann","tags":["x","y"],"ok":true,"sub":{"a.b":1,"c":null}}\n'
    b'{"score":12.5,"name":"Bob\\u0021 \\"x\\"","tags":[],"ok":false,"list":[{"k":1,"v":"one"},{"k":2,"v":"two"}]}\n'
    b'{"score":"12","name":"\xc3\xa9\xe2\x82\xac","ok":null}\n[1,{"name":"in array"},"x"] 5 "text" true\n'
    b'x{"name":"after"},{"name" : "spaced" ,\n "score":1e3}\n'
)
FIELDS = ("name", "score", "ok", "tags", "tags.#", "none", "", "list.#(k=2).v", "sub.a\\.b", "n*", "@this", "1.name")
OPERATORS = ("", "=", "!=", "<", "<=", ">", ">=", "%", "!%", "==", "~")
VALUES = ("", "3", "12", "12.5", "1e3", "Ann", "A*", "*", "?nn", "true", "false", "null", "0x1p3", "1_2", "inf", "é€")
SELECTIONS = (
    ("name",), ("score", "name"), (), ("",), ("none", "ok"), ("tags.#", "tags.1", "tags"), ("list.#.v", "list.#(k>1)#"),
    ("{name,score}", "[name,score]"), ("@keys", "@this.@ugly", "tags.@reverse"), ("sub.c", "sub.a\\.b", "sub|c"),
    ("name\"", "a.b.c", "#", "0", "..0.name"), ("@pretty", "!true", "!\"x\"", "n?me", "*"),
    ("[", "{name", "#(", "|", "."),
)


def cases() -> Iterator[RpcCase]:
    """All of them, on volumes that the first one makes."""
    yield RpcCase("volumes", (
        *(call("AllocateVolume", volume_id=volume, replication="000", version=3)
          for volume in (VOLUME, OTHER, EMPTY, LINES)),
        *(put(volume, key) for volume in (VOLUME, OTHER) for key in range(1, 40)), put(VOLUME, 40, b""),
        put(VOLUME, 41, b"x" * 3_000_000), put(VOLUME, 42, b"named", "?ttl=7d"), put(VOLUME, 3, b"again"),
        remove(VOLUME, 7), remove(VOLUME, 8), remove(OTHER, 39), put(LINES, 1, TEXT), put(LINES, 2, b""),
        put(LINES, 3, TEXT * 2000), put(LINES, 4, b"no json at all"), put(LINES, 5, TEXT), remove(LINES, 5),
    ))
    yield from _sound()
    yield from _questions()
    yield from _broken()
    yield from _marks()


def scrub(*volumes: int, mode: int = 2, mark: bool = False) -> Call:
    """A call of ScrubVolume."""
    return call("ScrubVolume", volume_ids=volumes, mode=mode, mark_broken_volumes_readonly=mark)


def _sound() -> Iterable[RpcCase]:
    for mode in MODES:
        yield RpcCase(f"scrub mode {mode}", (
            scrub(mode=mode), scrub(VOLUME, mode=mode), scrub(OTHER, VOLUME, OTHER, mode=mode), scrub(EMPTY, mode=mode),
            scrub(99, mode=mode), scrub(VOLUME, 99, mode=mode), scrub(0, mode=mode), scrub(mode=mode, mark=True),
            scrub(VOLUME, mode=mode, mark=True),
        ))


def _broken() -> Iterable[RpcCase]:
    # Go's order of rows that say the very same is chance.
    rows = struct.pack(">QIiQIi", 77, 1, 20, 78, 1, 21)
    spoils: tuple[tuple[str, tuple[Spoil, ...]], ...] = (
        ("data", (Spoil("1.dat", 60, b"?????"),)), ("sizes", (Spoil("2.dat", 20, b"\0"), Spoil("2.dat", 23, b"\xff"))),
        ("lengths", (Spoil("2.dat", 24, b"\x7f"),)), ("more data", (Spoil("1.dat", 1_000_000, b"?"),)),
        ("half a row", (Spoil("1.idx", 720, b"xx"),)),
        ("a row too many", (Spoil("2.idx", -16, rows),)), ("a wild row", (Spoil("2.idx", 0, b"\xff" * 16),)),
        ("row of nothing", (Spoil("2.idx", 16, bytes(16)),)), ("index cut", (Spoil("2.idx", 160, b"", True),)),
        ("index gone", (Spoil("2.idx", 0, b"", True),)), ("data cut", (Spoil("1.dat", 5000, b"", True),)),
        ("all data gone", (Spoil("1.dat", 8, b"", True),)),
    )
    for name, steps in spoils:
        yield RpcCase(f"scrub with broken {name}", (*steps, *(scrub(mode=mode) for mode in (1, 2, 3))))


def _marks() -> Iterable[RpcCase]:
    yield RpcCase("mark", (
        scrub(mode=1), *_look(VOLUME), scrub(mode=1, mark=True), *_look(VOLUME), *_look(OTHER), *_look(LINES),
        scrub(99, OTHER, mark=True), scrub(OTHER, mark=True), *_look(OTHER),
        call("SetState", state={"maintenance": True}), scrub(), scrub(mark=True), scrub(LINES, mark=True),
        call("Query", **_query((fid(LINES, 1),))),
        call("SetState", state={"maintenance": False, "version": 1}), scrub(LINES),
    ))


def _look(volume: int) -> tuple[Step, ...]:
    """Without the length of the .idx, in which others had their hands: we say what we wrote, Go asks the disk."""
    return look(volume, "idx_file_size")


def _query(
    fids: Iterable[str], selections: Iterable[str] = ("name",), field: str = "name", operand: str = "", value: str = "",
) -> dict[str, Any]:
    return {
        "from_file_ids": fids, "selections": selections, "input_serialization": {"json_input": {}},
        "filter": {"field": field, "operand": operand, "value": value},
    }


def _questions() -> Iterable[RpcCase]:
    lines = fid(LINES, 1)
    for operand in OPERATORS:
        yield RpcCase(f"query {operand}", tuple(
            call("Query", **_query((lines,), ("name",), field, operand, value))
            for field in FIELDS for value in VALUES))
    for selections in SELECTIONS:
        yield RpcCase(f"query of {selections}", tuple(
            call("Query", **_query((lines,), selections, field)) for field in ("name", "@this", "list")))
    yield RpcCase("query of bad files", tuple(call("Query", **_query((text,))) for text in BAD_FIDS))
    yield RpcCase("query of files", _files(lines))


def _files(lines: str) -> tuple[Step, ...]:
    mismatch = lines[:-8] + "cafebabe"
    long, empty, none, deleted, missing = (fid(LINES, key) for key in (3, 2, 4, 5, 6))
    lists = (
        (), (lines, lines), (empty,), (empty[:-8] + "cafebabe",), (none,), (deleted,), (missing,),
        (lines, missing, lines),
        (mismatch,), (lines, mismatch, lines), (mismatch, missing), (long,), (lines, "bad", lines), (fid(VOLUME, 42),),
    )
    kinds: tuple[dict[str, Any], ...] = (
        {"csv_input": {}}, {"parquet_input": {}}, {}, {"json_input": {"type": "LINES"}, "csv_input": {}},
        {"json_input": {}, "compression_type": "GZIP"},
    )
    return (
        *(call("Query", **_query(fids)) for fids in lists),
        *(call("Query", **{**_query((lines, fids)), "input_serialization": kind})
          for kind in kinds for fids in (lines, mismatch, missing)),
        call("Query", from_file_ids=(lines,), input_serialization={"csv_input": {}}), call("Query"),
        call("Query", from_file_ids=("bad",), input_serialization={}),
        call("Query", **_query((lines,)), output_serialization={"csv_output": {}}), Restart(),
        call("Query", **_query((lines,))),
    )
