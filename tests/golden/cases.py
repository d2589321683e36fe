"""What is asked of the Go servers, one function for each directory of golden files."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable

from seaweedvol.pb import volume_server_pb2 as pb
from tests.golden.recording import Pairs, Recorder

COOKIE = "5eaf00d5"
BOUNDARY = "gold"
TEXT = ("text/plain",)
LONG_TEXT = b"The tide comes in, the tide goes out. " * 40


def multipart(data: bytes, name: str | None, mime: str | None = None, extra: Pairs = ()) -> tuple[Pairs, bytes]:
    """Headers and body of a form with one part."""
    disposition = 'form-data; name="file"' + ("" if name is None else f'; filename="{name}"')
    lines = [("Content-Disposition", disposition), *extra]
    if mime is not None:
        lines.append(("Content-Type", mime))
    head = "".join(f"{key}: {value}\r\n" for key, value in lines)
    body = f"--{BOUNDARY}\r\n{head}\r\n".encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return [("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")], body


def fid(volume: int, key: int, cookie: str = COOKIE) -> str:
    """The path of a needle."""
    digits = f"{key:x}"
    return f"/{volume},{'0' * (len(digits) % 2)}{digits}{cookie}"


def lengths(to: Recorder, volume: int) -> None:
    """Needles of 1 to 9 bytes, with and without a name, so that every length of padding comes."""
    for length in range(1, 10):
        to.ask("PUT", fid(volume, 0x100 + length), body=b"x" * length, note=f"raw, {length} bytes")
        to.ask("POST", fid(volume, 0x123456789000 + length) + "?ts=1600000000",
               *multipart(b"y" * length, "tide.txt", *TEXT), note=f"form, {length} bytes")


def shapes(to: Recorder, volume: int) -> None:
    """Every field of a record, and their absence."""
    octets = random.Random(1).randbytes(1000)
    headers = [("Content-Type", "text/plain"), ("Seaweed-Color", "blue"), ("Seaweed-Depth", "40 m")]
    to.ask("PUT", fid(volume, 0x30), [("Content-Type", "text/plain")], b"hello", note="raw with a type")
    to.ask("POST", fid(volume, 2), *multipart(b"hello form", "hello.txt", *TEXT), note="form with name and type")
    to.ask("POST", fid(volume, 3), *multipart(b"\xff\xd8\xff\xe0 no picture", "photo.jpeg", "image/jpeg"))
    to.ask("POST", fid(volume, 4), *multipart(b"nameless", None), note="form without file name")
    to.ask("POST", fid(volume, 5), *multipart(b"no type", "plain"), note="form without type")
    to.ask("PUT", fid(volume, 6), headers, b"with pairs", note="Seaweed- pairs")
    to.ask("POST", fid(volume, 7),
           *multipart(gzip.compress(LONG_TEXT, mtime=0), "long.txt", "text/plain", [("Content-Encoding", "gzip")]),
           note="part that is gzip already")
    to.ask("PUT", fid(volume, 8), [("Content-Encoding", "gzip"), ("Content-Type", "text/plain")],
           gzip.compress(LONG_TEXT, mtime=0), note="raw body that is gzip already")
    to.ask("POST", fid(volume, 9), *multipart(LONG_TEXT, "long.txt", *TEXT), note="compressed by the server")
    to.ask("PUT", fid(volume, 10), note="empty raw")
    to.ask("POST", fid(volume, 11), *multipart(b"", "empty.txt", *TEXT), note="empty form")
    to.ask("PUT", fid(volume, 12) + "?ts=1234567890", body=b"old", note="ts")
    for key, ttl in enumerate(("3m", "5d", "300", "7M", "99y"), 13):
        to.ask("PUT", fid(volume, key) + f"?ttl={ttl}", body=b"ttl " + ttl.encode(), note="ttl")
    to.ask("POST", fid(volume, 18), *multipart(octets, "octets.bin", "application/octet-stream"))
    to.ask("POST", fid(volume, 19), *multipart(b"far", "a/b/\u6d77\u85fb.txt", *TEXT), note="path and UTF-8 in name")
    to.ask("POST", fid(volume, 20), *multipart(b"long", "n" * 300 + ".txt", *TEXT), note="name of 304")
    to.ask("POST", fid(volume, 21), *multipart(b"255", "n" * 255, *TEXT), note="name of 255")
    to.ask("POST", fid(volume, 22) + ".txt", *multipart(b"extension", "e.txt", *TEXT), note="extension in the path")
    to.ask("PUT", f"/{volume}/17{COOKIE}/named.txt", body=b"slashes", note="path with slashes: key 0x17")
    to.ask("PUT", fid(volume, 23) + "_1", body=b"delta", note="delta: key 0x18")
    to.ask("PUT", fid(volume, 25) + "?fsync=true", body=b"synced", note="fsync")
    to.ask("PUT", fid(volume, 0x7FFFFFFFFFFFFFF0), body=b"large key")


def changes(to: Recorder, volume: int) -> None:
    """Overwriting, re-uploading, deleting, and being refused."""
    path = fid(volume, 0x40)
    to.ask("PUT", path, body=b"first")
    to.ask("PUT", path, body=b"second, longer", note="overwritten")
    to.ask("PUT", path, body=b"second, longer", note="unchanged")
    to.ask("PUT", fid(volume, 0x40, "00000001"), body=b"third", note="other cookie")
    path = fid(volume, 0x41)
    to.ask("POST", path, *multipart(b"to be deleted", "gone.txt", *TEXT))
    to.ask("DELETE", fid(volume, 0x41, "00000001"), note="other cookie")
    to.ask("DELETE", path)
    to.ask("DELETE", path, note="again")
    to.ask("DELETE", fid(volume, 0x42), note="never there")
    path = fid(volume, 0x43)
    to.ask("PUT", path, body=b"before")
    to.ask("DELETE", path)
    to.ask("PUT", path, body=b"after", note="written again after its deletion")
    path = fid(volume, 0x44)
    to.ask("PUT", path)
    to.ask("DELETE", path, note="deletion of an empty needle")


def manifest(to: Recorder, volume: int) -> None:
    """A chunk manifest over two needles of the same volume."""
    for key, data in ((0x50, b"first half, "), (0x51, b"second half")):
        to.ask("PUT", fid(volume, key), body=data)
    text = json.dumps({
        "name": "whole.txt", "mime": "text/plain", "size": 23,
        "chunks": [
            {"fid": fid(volume, 0x50)[1:], "offset": 0, "size": 12},
            {"fid": fid(volume, 0x51)[1:], "offset": 12, "size": 11},
        ],
    }).encode()
    to.ask("POST", fid(volume, 0x52) + "?cm=true", *multipart(text, "whole.txt", "application/json"), note="manifest")


def all_keys(to: Recorder) -> list[str]:
    """The path of every needle that was written so far, each once, in the order of writing."""
    paths: dict[str, None] = {}
    for exchange in to.exchanges:
        request = exchange["request"]
        if exchange["server"] == "volume" and request["method"] in ("PUT", "POST"):
            paths[request["path"].partition("?")[0]] = None
    return list(paths)


def look_at_all(to: Recorder) -> None:
    """GET every needle, and those that were deleted a second time as such.

    Of those with the same shape but another length one stands for all.
    """
    for path in all_keys(to):
        if ",123456789" in path and not path.endswith(f"01{COOKIE}"):
            continue
        to.ask("GET", path)
        if path.endswith((f",41{COOKIE}", f",44{COOKIE}")):
            to.ask("GET", path + "?readDeleted=true")


def needles(to: Recorder) -> None:
    """One volume, and every kind of write and read."""
    to.ask("GET", "/vol/grow?count=1&replication=000", server="master")
    answer = to.ask("GET", "/dir/assign", server="master")
    assigned = json.loads(answer)["fid"]
    volume = int(assigned.partition(",")[0])
    to.ask("POST", f"/{assigned}", *multipart(b"as assigned", "assigned.txt", *TEXT))
    shapes(to, volume)
    lengths(to, volume)
    changes(to, volume)
    manifest(to, volume)
    look_at_all(to)
    for key in (2, 9, 10, 13, 18, 0x41, 0x52):
        to.ask("HEAD", fid(volume, key))
    for key in (7, 8, 9):
        to.ask("GET", fid(volume, key), [("Accept-Encoding", "gzip")])
    to.ask("GET", fid(volume, 0x52) + "?cm=false", note="the manifest itself")
    to.ask("GET", fid(volume, 0x30, "00000001"), note="other cookie")
    to.ask("GET", fid(volume, 0x77), note="never there")
    for ranges in ("bytes=0-9", "bytes=-5", "bytes=990-", "bytes=0-1,4-5", "bytes=9000-"):
        to.ask("GET", fid(volume, 18), [("Range", ranges)])


def collections(to: Recorder) -> None:
    """A volume in each of two collections, one of whose names has an underscore."""
    for collection in ("pictures", "old_maps"):
        to.ask("GET", f"/vol/grow?count=1&collection={collection}&replication=000", server="master")
        answer = to.ask("GET", f"/dir/assign?collection={collection}", server="master")
        assigned = json.loads(answer)["fid"]
        to.ask("POST", f"/{assigned}", *multipart(collection.encode(), f"{collection}.txt", *TEXT))
        lengths(to, int(assigned.partition(",")[0]))
    look_at_all(to)


def ttl(to: Recorder) -> None:
    """A volume whose needles live 99 years, also those that name no time to live or another one."""
    to.ask("GET", "/vol/grow?count=1&ttl=99y&replication=000", server="master")
    answer = to.ask("GET", "/dir/assign?ttl=99y", server="master")
    assigned = json.loads(answer)["fid"]
    volume = int(assigned.partition(",")[0])
    to.ask("PUT", f"/{assigned}?ttl=99y", body=b"same")
    to.ask("PUT", fid(volume, 0x60), body=b"none")
    to.ask("PUT", fid(volume, 0x61) + "?ttl=98y", body=b"another")
    to.ask("PUT", fid(volume, 0x62) + "?ttl=98y")
    to.ask("PUT", fid(volume, 0x60), body=b"none, again")
    to.ask("DELETE", fid(volume, 0x61))
    look_at_all(to)


def of_version(version: int) -> Callable[[Recorder], None]:
    """One volume of an old version of the layout."""
    def case(to: Recorder) -> None:
        to.allocate(version, version=version)
        to.restart("until then Go 4.44 appends records of version 3 to a new volume of any version")
        shapes(to, version)
        lengths(to, version)
        changes(to, version)
        look_at_all(to)
    case.__doc__ = f"One volume of version {version}."
    return case


def compacted(to: Recorder) -> None:
    """A volume that was vacuumed and written to afterwards."""
    to.ask("GET", "/vol/grow?count=1&replication=000", server="master")
    answer = to.ask("GET", "/dir/assign", server="master")
    volume = int(json.loads(answer)["fid"].partition(",")[0])
    lengths(to, volume)
    changes(to, volume)
    for length in range(1, 6):
        to.ask("DELETE", fid(volume, 0x100 + length))
    to.call("VacuumVolumeCheck", pb.VacuumVolumeCheckRequest(volume_id=volume))
    to.call("VacuumVolumeCompact", pb.VacuumVolumeCompactRequest(volume_id=volume))
    to.call("VacuumVolumeCommit", pb.VacuumVolumeCommitRequest(volume_id=volume))
    to.call("VacuumVolumeCleanup", pb.VacuumVolumeCleanupRequest(volume_id=volume))
    to.ask("PUT", fid(volume, 0x70), body=b"after the vacuum")
    look_at_all(to)


def settings(to: Recorder) -> None:
    """Empty volumes with one thing set on each, and the state of the server."""
    to.allocate(1)
    to.allocate(2)
    to.call("VolumeMarkReadonly", pb.VolumeMarkReadonlyRequest(volume_id=2, persist=True), note="read-only, kept")
    to.allocate(3)
    to.call("VolumeMarkReadonly", pb.VolumeMarkReadonlyRequest(volume_id=3, persist=True, can_delete=True))
    to.allocate(4)
    to.call("VolumeConfigure", pb.VolumeConfigureRequest(volume_id=4, replication="012"))
    to.allocate(5, ttl="99y")
    to.allocate(6, replication="001")
    to.allocate(7, collection="kelp")
    to.call("VolumeMarkReadonly", pb.VolumeMarkReadonlyRequest(volume_id=7), note="read-only, not kept")
    to.allocate(8)
    to.call("VolumeMarkReadonly", pb.VolumeMarkReadonlyRequest(volume_id=8, persist=True))
    to.call("VolumeMarkWritable", pb.VolumeMarkWritableRequest(volume_id=8), note="writable again")
    state = pb.VolumeServerState(maintenance=True)
    to.call("SetState", pb.SetStateRequest(state=state))


CASES: dict[str, Callable[[Recorder], None]] = {
    "needles": needles,
    "collections": collections,
    "ttl": ttl,
    "version1": of_version(1),
    "version2": of_version(2),
    "compacted": compacted,
    "settings": settings,
}
