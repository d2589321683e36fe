"""Selecting from needles that hold JSON lines; as SeaweedFS ``volume_grpc_query.go``.

Long ones are gone through in a worker process, part by part, so that nobody else's work waits for all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from seaweedvol.query import Question, answer, answer_part
from seaweedvol.server.errors import Refused
from seaweedvol.storage.errors import InvalidId
from seaweedvol.storage.ids import MAX_UINT64, Cookie, NeedleId, VolumeId, parse_needle_path

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer

#: So much is gone through faster than it is sent elsewhere.
SHORT_LENGTH: Final = 64 << 10
PART_LENGTH: Final = 4 << 20


__all__ = ["Question", "make_question", "query"]


def make_question(selections: Iterable[str], field: str, operator: str, wanted: str) -> Question:
    """What is to be selected of which values; see :class:`Question`."""
    return Question(tuple(path.encode() for path in selections), field.encode(), operator.encode(), wanted.encode())


def query(
    server: VolumeServer, file_ids: Iterable[str], get_question: Callable[[], Question | None],
) -> Iterator[bytes]:
    """The records out of each file, perhaps none; nothing at all without a question, which is asked for when there is
    a file to put it to. Ends at the first file whose cookie is not the one given.

    :raises Refused: when a file id is none, or the volume is not here.
    :raises StorageError: when the needle is not, or is damaged.
    """
    for file_id in file_ids:
        volume_id, key, cookie = _parse(file_id)
        volume = server.store.find(volume_id)
        if volume is None:
            raise Refused(f"volume {volume_id} not found")
        needle = volume.read(key)
        if needle.size and needle.cookie != cookie:
            return
        question = get_question()
        if question is not None:
            yield _answer(server, needle.data, question)


def _parse(file_id: str) -> tuple[VolumeId, NeedleId, Cookie]:
    """What Go makes of it: a volume that is no number is 0, or the highest if the number is too high."""
    volume_text, comma, rest = file_id.partition(",")
    if not comma or not volume_text:
        raise Refused("Wrong fid format.")
    number = int(volume_text) if volume_text.isascii() and volume_text.isdecimal() else 0
    try:
        return VolumeId(min(number, MAX_UINT64) & 0xFFFFFFFF), *parse_needle_path(rest)
    except InvalidId as error:
        raise Refused(str(error)) from None


def _answer(server: VolumeServer, text: bytes, question: Question) -> bytes:
    try:
        if len(text) <= SHORT_LENGTH:
            return answer(text, question)
        return b"".join(_parts(server, text, question))
    except RecursionError:
        raise Refused("query is nested too deeply") from None


def _parts(server: VolumeServer, text: bytes, question: Question) -> Iterator[bytes]:
    at, length = 0, PART_LENGTH
    while at < len(text):
        if server.life.is_stopping:
            raise Refused("the server is stopping")
        part = text[at:at + length]
        records, seen = server.workers.run(answer_part, part, question, is_last=at + length >= len(text))
        yield records
        at += seen
        # A value longer than a part has to be seen whole.
        length = PART_LENGTH if seen else length * 2
