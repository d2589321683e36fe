"""A file to an object and back, in parts, several at a time; verified before anybody relies on the copy.

Parts are as long as SeaweedFS has them (``s3_upload.go``): 64 MiB, four times that while there would be more than a
thousand. What was sent counts as there when the store holds as many bytes and its ETag is the MD5 of them (of all, or
of the MD5s of the parts); where an ETag is something else, as with some encryption, all is read back once.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Final

import attrs

from seaweedvol.storage.backend import IVolumeFile
from seaweedvol.storage.errors import RemoteFailed
from seaweedvol.tier.s3 import ATTEMPTS, Bucket, Object, Payload

PART_LENGTH: Final = 64 << 20
MAX_PARTS: Final = 1000
AT_ONCE: Final = 5
CHUNK_LENGTH: Final = 1 << 20
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
_PARTS_MD5 = re.compile(r"[0-9a-f]{32}-[0-9]+\Z")

#: Is told how many bytes have been moved so far; from any thread. What it raises ends the transfer.
Progress = Callable[[int], None]


class Cancelled(RemoteFailed):
    """Raised when nobody waits for the transfer any more."""

    def __init__(self) -> None:
        super().__init__("the transfer was broken off")


def part_length_of(length: int, least: int = PART_LENGTH) -> int:
    """How long the parts of a file of ``length`` bytes are."""
    part = least
    while part * MAX_PARTS < length:
        part *= 4
    return part


@attrs.define(eq=False)
class _Counter:
    """Bytes moved, of several threads."""

    _tell: Progress
    _count: int = 0
    _lock: threading.Lock = attrs.Factory(threading.Lock)

    def add(self, length: int) -> None:
        with self._lock:
            self._count += length
            self._tell(self._count)


# --- to the store ----------------------------------------------------------------------------------------------------


def upload(bucket: Bucket, key: str, file: IVolumeFile, length: int, *, storage_class: str, tell: Progress,
           least_part: int = PART_LENGTH) -> None:
    """Make the first ``length`` bytes of ``file`` an object, and see that it is one.

    Whatever goes wrong, nothing of it stays in the store, if that can be helped.

    :raises RemoteFailed: when the object is not there, or not what it should be.
    :raises OSError: when the file cannot be read.
    """
    headers = {"X-Amz-Storage-Class": storage_class, "Content-Type": "application/octet-stream"}
    part = part_length_of(length, least_part)
    counter = _Counter(tell)
    try:
        if length <= part:
            md5 = _put_whole(bucket, key, file, length, headers, counter)
        else:
            md5 = _put_parts(bucket, key, file, length, part, headers, counter)
        _verify(bucket, key, file, length, md5)
    except BaseException:
        with contextlib.suppress(RemoteFailed):
            bucket.delete(key)
        raise


def _put_whole(bucket: Bucket, key: str, file: IVolumeFile, length: int, headers: dict[str, str],
               counter: _Counter) -> str:
    payload, md5 = _payload(file, 0, length, counter)
    bucket.put(key, payload, headers)
    return md5.hex()


def _put_parts(bucket: Bucket, key: str, file: IVolumeFile, length: int, part: int, headers: dict[str, str],
               counter: _Counter) -> str:
    upload_id = bucket.begin(key, headers)
    try:
        def send(number: int, offset: int) -> tuple[str, bytes]:
            payload, md5 = _payload(file, offset, min(part, length - offset), counter)
            return _put_part(bucket, key, upload_id, number, payload, md5), md5
        sent = _in_parallel([(send, number, offset) for number, offset in enumerate(range(0, length, part), 1)])
        bucket.complete(key, upload_id, [etag for etag, _ in sent])
    except BaseException:
        with contextlib.suppress(RemoteFailed):
            bucket.abort(key, upload_id)
        raise
    return hashlib.md5(b"".join(md5 for _, md5 in sent)).hexdigest() + f"-{len(sent)}"


def _put_part(bucket: Bucket, key: str, upload_id: str, number: int, payload: Payload, md5: bytes) -> str:
    for _ in range(ATTEMPTS):
        stored = bucket.put_part(key, upload_id, number, payload)
        if stored.is_encrypted_by_keys or not _MD5.match(stored.etag) or stored.etag == md5.hex():
            return stored.etag
    raise RemoteFailed(f"part {number} of {key} arrives as something else: {stored.etag} instead of {md5.hex()}")


def _payload(file: IVolumeFile, offset: int, length: int, counter: _Counter) -> tuple[Payload, bytes]:
    """A stretch of a file to be sent, and its MD5. It is read twice: the hash goes before the bytes."""
    sha256, md5 = hashlib.sha256(), hashlib.md5()
    for chunk in _chunks(file, offset, length):
        sha256.update(chunk)
        md5.update(chunk)
    counted = 0

    def counting() -> Iterator[bytes]:
        nonlocal counted
        at = 0
        for chunk in _chunks(file, offset, length):
            yield chunk
            at += len(chunk)
            # What is sent again is counted once; but it is a moment to notice that nobody waits.
            counter.add(max(at - counted, 0))
            counted = max(counted, at)
    return Payload(length, sha256.hexdigest(), counting), md5.digest()


def _chunks(file: IVolumeFile, offset: int, length: int) -> Iterator[bytes]:
    end = offset + length
    while offset < end:
        chunk = file.read_at(min(CHUNK_LENGTH, end - offset), offset)
        if not chunk:
            raise OSError(f"{file.path} ends at {offset}, before {end}")
        yield chunk
        offset += len(chunk)


def _verify(bucket: Bucket, key: str, file: IVolumeFile, length: int, md5: str) -> None:
    """:raises RemoteFailed: unless the object is the file."""
    found = bucket.head(key)
    if found.length != length:
        raise RemoteFailed(f"the store holds {found.length} bytes of {length} as {key}")
    if not found.is_encrypted_by_keys and is_known_md5(found.etag):
        if found.etag != md5:
            raise RemoteFailed(f"the store holds {key} with checksum {found.etag} instead of {md5}")
        return
    part = part_length_of(length)
    _in_parallel([(_compare, bucket, key, file, offset, min(part, length - offset), found)
                  for offset in range(0, length, part)])


def is_known_md5(etag: str) -> bool:
    """Whether an ETag looks like the MD5 of an object, or that of the MD5s of its parts."""
    return bool(_MD5.match(etag) or _PARTS_MD5.match(etag))


def _compare(bucket: Bucket, key: str, file: IVolumeFile, offset: int, length: int, found: Object) -> None:
    for chunk in _chunks(file, offset, length):
        if bucket.read(key, offset, len(chunk), found.etag) != chunk:
            raise RemoteFailed(f"the store holds something else at {offset} of {key}")
        offset += len(chunk)


# --- and back --------------------------------------------------------------------------------------------------------


def download(bucket: Bucket, key: str, file: IVolumeFile, length: int, *, tell: Progress,
             least_part: int = PART_LENGTH) -> None:
    """Write the object into ``file``, which is not synced.

    :param length: what the object must be long.
    :raises RemoteFailed: when it is not, or changes on the way, or does not fit its checksum.
    :raises OSError: when the file cannot be written.
    """
    found = bucket.head(key)
    if found.length != length:
        raise RemoteFailed(f"the store holds {found.length} bytes of {length} as {key}")
    counter = _Counter(tell)
    part = part_length_of(length, least_part)

    def fetch(offset: int) -> bytes:
        md5, end = hashlib.md5(), min(offset + part, length)
        while offset < end:
            wanted = min(CHUNK_LENGTH * 4, end - offset)
            data = bucket.read(key, offset, wanted, found.etag)
            if len(data) != wanted:
                raise RemoteFailed(f"{key} is cut short at {offset + len(data)}")
            md5.update(data)
            file.write_at(data, offset)
            offset += wanted
            counter.add(wanted)
        return md5.digest()

    md5s = _in_parallel([(fetch, offset) for offset in range(0, length, part)])
    expected = md5s[0].hex() if len(md5s) == 1 else hashlib.md5(b"".join(md5s)).hexdigest() + f"-{len(md5s)}"
    # Other programs cut parts otherwise; then the checksum says nothing, and each needle still has its own.
    is_comparable = not found.is_encrypted_by_keys and is_known_md5(found.etag) \
        and found.etag.partition("-")[2] == expected.partition("-")[2]
    if is_comparable and found.etag != expected:
        raise RemoteFailed(f"{key} arrives with checksum {expected} instead of {found.etag}")


def _in_parallel(calls: list[tuple]) -> list:  # type: ignore[type-arg]
    """What each call gives, in order; the first that fails ends all."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tier") as pool:
        futures: list[Future] = [pool.submit(*call) for call in calls]  # type: ignore[type-arg]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        failed = [future for future in done if future.exception() is not None]
        if failed:
            pool.shutdown(cancel_futures=True)
            raise failed[0].exception()  # type: ignore[misc]
        return [future.result() for future in futures]
