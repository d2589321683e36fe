"""Uploads and deletions on the express lane: found in the bytes of a connection, made in batches, then answered.

Takes small files that are stored as they come, under new keys or in the place of small needles. What is to be
compressed, unpacked, turned or refused is the general road's (:mod:`~seaweedvol.web.general.writing`,
:mod:`~seaweedvol.web.general.deleting`), from the same bytes. Checks and replies are decided by the functions that it
uses too; what is stored, by :mod:`drafting`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from seaweedvol.metrics.instruments import WRITE_TO_REPLICAS
from seaweedvol.metrics.tally import DELETE_FAILED, DELETED, POST_FAILED, POST_SAME, POST_STORED
from seaweedvol.security.jwt import token_from
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.format.fields import FLAG_MANIFEST
from seaweedvol.storage.volume.batching import Put, Removal
from seaweedvol.storage.volume.glancing import Glancer
from seaweedvol.web.express.changequery import ChangeQueries, ChangeQuery
from seaweedvol.web.express.changereplies import ChangeReplies
from seaweedvol.web.express.drafting import Draft, Drafts, Line
from seaweedvol.web.express.headlines import CLOSE, Facts
from seaweedvol.web.syntax.urls import Query
from seaweedvol.web.uploads.parsing import UploadRules

if TYPE_CHECKING:
    from seaweedvol.server.interfaces import IReplicaRoad, Location, QuickVolume
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.web.connection.side import LaneSide
    from seaweedvol.web.express.batches import Batches

# A body up to this size is waited for in memory.
GATHERED_LENGTH: Final = 256 << 10
_BLANK_LINE: Final = b"\r\n\r\n"

_CHANGE = re.compile(
    rb"(POST|PUT|DELETE) /(([0-9]{1,9}),([0-9a-fA-F]{1,16})([0-9a-fA-F]{8})(\.[A-Za-z0-9]{1,16})?)"
    rb"(?:\?([A-Za-z0-9=&_.\-]*))? HTTP/1\.1\r\n").match

# How Go's clients announce a body, another one with each request.
_OWN = re.compile(rb"(?<=\r\n)Content-Length: ([0-9]{1,9})\r\nContent-Type: ([!-~][ -~]*[!-~])\r\n").search

FactsOf = Callable[[bytes], Facts | None]


class ExpressChanges:
    """The lane's uploads and deletions.

    :param now: seconds since 1970, for needles that come without a time.
    :ivar limit: for the bytes of uploads that are under way.
    :ivar replies: makes the answers.
    :ivar tally: counts them.
    """

    def __init__(self, server: VolumeServer, rules: UploadRules, batches: Batches, replies: ChangeReplies,
                 now: Callable[[], float]) -> None:
        self._server = server
        self._batches = batches
        self._drafts = Drafts(rules, now)
        self.replies = replies
        self._queries = ChangeQueries()
        self._plain_query = ChangeQuery(Query())
        self._guard = server.guard
        self.limit = server.upload_limit
        self._at_hand = server.needles.at_hand
        self.tally = server.tally
        self._instruments = server.instruments
        self._glancer = Glancer()

    def take(self, data: bytes, channel: LaneSide, blocks: dict[bytes, Facts], facts_of: FactsOf) -> int:
        """As :meth:`Express.take`."""
        match = _CHANGE(data)
        if match is None:
            return 0
        head_start = match.end()
        head_end = data.find(_BLANK_LINE, head_start - 2) + 4
        if head_end < 4:
            return 0
        block = data[head_start:head_end]
        facts = blocks.get(block) or _usual(block, blocks, facts_of) or facts_of(block)
        line: Line = match.groups()  # type: ignore[assignment]
        method, _, volume_text, _, _, _, asked = line
        query = self._plain_query if asked is None else self._queries.meaning_of(asked)
        if facts is None or query is None or facts.has_extras or facts.length > GATHERED_LENGTH:
            return 0
        volume = self._at_hand(int(volume_text))
        if volume is None or volume.is_read_only or not (
                self._guard.lets_all_write or self._is_allowed(line, channel, facts, query)):
            return 0
        if method == b"DELETE":
            return self._delete(line, data, head_end, channel, facts, query, volume)
        return self._upload(line, data, head_end, channel, facts, query, volume)

    def _is_allowed(self, line: Line, channel: LaneSide, facts: Facts, query: ChangeQuery) -> bool:
        guard = self._guard
        if not guard.allows_peer(channel.peer_host):
            return False
        if not guard.write_key:
            return True
        token = token_from(query.arguments, facts, facts.cookies)
        _, _, volume_text, key, cookie, _, _ = line
        return guard.check_write(volume_text.decode("ascii"), (key + cookie).decode("ascii"), token)

    @property
    def road(self) -> IReplicaRoad:
        """How replicas are told; there is one where there are any."""
        road = self._server.replicator.road
        assert road is not None, "no replicas were named without one"
        return road

    def _replicas(self, volume: QuickVolume) -> tuple[Location, ...] | None:
        """The other servers that must repeat a change; None when that is not known at once."""
        if self._server.replicator.road is None:
            return None
        known = self._server.locations.known(volume.id)
        if known is None or len(known) < volume.copy_count:
            return None
        here = self.replies.own_url
        return tuple([location for location in known if location.url != here])

    def repeated(self, operation: str, volume_id: int, replicas: tuple[Location, ...], began: float,
                 done: Callable[[str | None], None]) -> Callable[[str | None], None]:
        """``done``, when it has been noted how a change fared on the replicas, to which it is on its way now."""
        instruments, counts, locations = self._instruments, self.tally, self._server.locations
        sent_at = counts.seconds()
        kind = WRITE_TO_REPLICAS if operation == "write" else ""
        instruments.begin_part(kind)

        def repeated(error: str | None) -> None:
            instruments.end_part(kind)
            now = counts.seconds()
            instruments.note_replication(operation, len(replicas), now - began, error, sending_seconds=now - sent_at)
            counts.replicated += error is None
            if error is not None:
                # It may have moved.
                locations.invalidate(volume_id)
            done(error)

        return repeated

    # --- uploads -------------------------------------------------------------------------------------------------

    def _upload(self, line: Line, data: bytes, head_end: int, channel: LaneSide, facts: Facts,
                query: ChangeQuery, volume: QuickVolume) -> int:
        limit = self.limit
        length = facts.length
        end = head_end + length
        replicas = () if volume.copy_count == 1 or query.is_replica else self._replicas(volume)
        if length <= 0 or limit.limit and (limit.is_over or end > len(data)) or replicas is None:
            return 0
        if end > len(data):
            return self._gather(data, end, length, channel, facts)
        draft = self._drafts.make(line, data, head_end, end, facts, query)
        if draft is None:
            return 0
        limit.add(length)
        upload = _Upload(self, line, data, end, channel, facts, query, volume, replicas, draft)
        channel.hold("PUT" if upload.is_put else "POST")
        self._batches.add(volume, draft[0], upload.done, query.fsync)
        return end

    def _gather(self, data: bytes, end: int, length: int, channel: LaneSide, facts: Facts) -> int:
        """Wait for the rest of an upload, unless an answer that ends the connection may come before it."""
        if facts.variation >= CLOSE or channel.input_error is not None:
            return 0
        self.limit.add(length)
        channel.gather(data, end - len(data), lambda: self.limit.release(length))
        return len(data)

    def tries_again(self, put: Put, volume: QuickVolume, query: ChangeQuery, done: Callable[[], None]) -> bool:
        """Whether a needle that has not been stored, since its key is there, may take the place of what is there; then
        that is tried.
        """
        if not put.is_known or put.replaces is not None or query.fsync:
            return False
        try:
            put.replaces = volume.locate(put.key)
            glimpse = volume.glance(put.key, self._glancer)
        except StorageError:
            # It was closed meanwhile, or what is there is damaged.
            return False
        if not isinstance(glimpse, tuple) or glimpse[0] != put.cookie:
            return False
        put.is_same = glimpse[1] == put.checksum and bytes(glimpse[2]) == put.data
        self._batches.add(volume, put, done)
        return True

    # --- deletions -----------------------------------------------------------------------------------------------

    def _delete(self, line: Line, data: bytes, end: int, channel: LaneSide, facts: Facts,
                query: ChangeQuery, volume: QuickVolume) -> int:
        replicas = () if volume.copy_count == 1 or query.is_replica else self._replicas(volume)
        if facts.length > 0 or replicas is None:
            return 0
        key, cookie = int(line[3], 16), int(line[4], 16)
        glimpse = volume.glance(key, self._glancer)
        if not isinstance(glimpse, tuple) or glimpse[0] != cookie or glimpse[3][0] & FLAG_MANIFEST:
            return 0
        size = 4 + len(glimpse[2]) + len(glimpse[3])
        removal = Removal(key, cookie, glimpse[1])

        variation = facts.variation
        counts = self.tally
        began = counts.began or counts.seconds()

        def deleted(error: str | None = None) -> None:
            if error is None:
                answer = self.replies.deleted(size, variation)
                counts.note(DELETED, began)
            else:
                answer = self.replies.not_deleted(error, variation)
                counts.note(DELETE_FAILED, began)
            channel.reply_held(answer, closes=variation >= CLOSE)

        def done() -> None:
            if not removal.is_taken or removal.error is not None:
                channel.give_back(data[:end])
            elif replicas:
                repeated = self.repeated("delete", volume.id, replicas, began, deleted)
                self.road.delete_now(b"/" + line[1], replicas, repeated, token=query.token(facts))
            else:
                deleted()

        channel.hold("DELETE")
        self._batches.add(volume, removal, done)
        return end


class _Upload:
    """An upload whose needle is being stored. No closure, as these would be many: most need only the last step.

    :ivar is_put: else it is a POST.
    """

    __slots__ = ("_lane", "_line", "_data", "_end", "_channel", "_facts", "_query", "_volume", "_replicas", "_draft",
                 "_began", "is_put")

    def __init__(self, lane: ExpressChanges, line: Line, data: bytes, end: int, channel: LaneSide,
                 facts: Facts, query: ChangeQuery, volume: QuickVolume, replicas: tuple[Location, ...],
                 draft: Draft) -> None:
        self._lane = lane
        self._line = line
        self._data = data
        self._end = end
        self._channel = channel
        self._facts = facts
        self._query = query
        self._volume = volume
        self._replicas = replicas
        self._draft = draft
        self._began = lane.tally.began or lane.tally.seconds()
        self.is_put = line[0] == b"PUT"

    def done(self) -> None:
        """It has been tried once."""
        put = self._draft[0]
        if put.is_taken and put.error is None and not self._replicas:
            self._stored()
        elif put.is_taken or not self._lane.tries_again(put, self._volume, self._query, self._settled):
            self._settled()

    def _settled(self) -> None:
        """It has been tried as often as that makes sense."""
        lane, (put, name, mime) = self._lane, self._draft
        if not put.is_taken or put.error is not None:
            lane.limit.release(self._facts.length)
            self._channel.give_back(self._data[:self._end])
        elif self._replicas:
            query = self._query
            repeated = lane.repeated("write", self._volume.id, self._replicas, self._began, self._stored)
            lane.road.write_now(
                b"/" + self._line[1], self._replicas, repeated, data=put.data, name=name, mime=mime,
                flags=put.fields[0], last_modified=put.last_modified, ttl=query.ttl or self._volume.ttl,
                fsync=query.fsync, token=query.token(self._facts))
        else:
            self._stored()

    def _stored(self, error: str | None = None) -> None:
        """Answer; ``error``: what a replica had against it."""
        lane, (put, name, mime) = self._lane, self._draft
        facts = self._facts
        variation = facts.variation
        lane.limit.release(facts.length)
        if error is None:
            answer = lane.replies.created(put, name, mime, variation)
            outcome = POST_SAME if put.is_unchanged else POST_STORED
        else:
            answer = lane.replies.not_replicated(self._volume.id, error, variation)
            outcome = POST_FAILED
        counts = lane.tally
        if self._began == counts.began:
            counts.answers.append(outcome + self.is_put)
        else:
            counts.note(outcome + self.is_put, self._began)
        self._channel.reply_held(answer, closes=variation >= CLOSE)


def _usual(block: bytes, blocks: dict[bytes, Facts], facts_of: FactsOf) -> Facts | None:
    """What ``block`` asks for, by what is known of the same block without length and type of the body."""
    own = _OWN(block)
    if own is None:
        return None
    rest = block[:own.start()] + block[own.end():]
    facts = blocks.get(rest) or facts_of(rest)
    if facts is None or facts.length >= 0 or facts.content_type:
        return None
    return facts.with_own(facts.get("Authorization"), own[2].decode("ascii"), int(own[1]))
