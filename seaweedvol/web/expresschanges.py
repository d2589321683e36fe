"""Uploads and deletions on the express lane: found in the bytes of a connection, made in batches, then answered.

Takes small files that are stored as they come, under new keys or in the place of small needles. What is to be
compressed, unpacked, turned or refused is the general road's (:mod:`writing`, :mod:`deleting`), from the same bytes.
Names, types, checks and replies are decided by the functions that it uses too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from seaweedvol.metrics.instruments import WRITE_TO_REPLICAS
from seaweedvol.metrics.tally import DELETE_FAILED, DELETED, POST_FAILED, POST_SAME, POST_STORED
from seaweedvol.security.jwt import token_from
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.format.checksum import crc32c
from seaweedvol.storage.format.fields import FLAG_MANIFEST, FLAG_TTL, encode_fields, encode_plain_fields
from seaweedvol.storage.volume.batching import Put, Removal
from seaweedvol.storage.volume.glancing import Glancer
from seaweedvol.web.changequery import ChangeQueries, ChangeQuery
from seaweedvol.web.changereplies import ChangeReplies
from seaweedvol.web.compressing import is_compressible
from seaweedvol.web.forms import Forms
from seaweedvol.web.headlines import CLOSE, Facts
from seaweedvol.web.request import is_media_type
from seaweedvol.web.sniffing import SNIFFED_LENGTH, detect_content_type
from seaweedvol.web.urls import Query
from seaweedvol.web.upload import LAST_MODIFIED_MASK, OCTETS, PLAIN_FLAGS, UploadRules, stored_mime

if TYPE_CHECKING:
    from seaweedvol.server.interfaces import IReplicaRoad, Location, QuickVolume
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.web.batches import Batches
    from seaweedvol.web.laneside import LaneSide

# A body up to this size is waited for in memory.
GATHERED_LENGTH: Final = 256 << 10
_MAX_FIELD: Final = 255
_MAX_REMEMBERED: Final = 1024
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
    """

    def __init__(self, server: VolumeServer, rules: UploadRules, batches: Batches, replies: ChangeReplies,
                 now: Callable[[], float]) -> None:
        self._server = server
        self._rules = rules
        self._batches = batches
        self._replies = replies
        self._now = now
        self._forms = Forms()
        self._queries = ChangeQueries()
        self._plain_query = ChangeQuery(Query())
        self._guard = server.guard
        self._limit = server.upload_limit
        self._at_hand = server.needles.at_hand
        self._tally = server.tally
        self._instruments = server.instruments
        self._types: dict[tuple[str, str], tuple[str, bytes]] = {}
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
        method, _, volume_text, _, _, _, asked = match.groups()
        query = self._plain_query if asked is None else self._queries.meaning_of(asked)
        if facts is None or query is None or facts.has_extras or facts.length > GATHERED_LENGTH:
            return 0
        volume = self._at_hand(int(volume_text))
        if volume is None or volume.is_read_only or not (
                self._guard.lets_all_write or self._is_allowed(match, channel, facts, query)):
            return 0
        if method == b"DELETE":
            return self._delete(match, data, head_end, channel, facts, query, volume)
        return self._upload(match, data, head_end, channel, facts, query, volume)

    def _is_allowed(self, match: re.Match[bytes], channel: LaneSide, facts: Facts, query: ChangeQuery) -> bool:
        guard = self._guard
        if not guard.allows_peer(channel.peer_host):
            return False
        if not guard.write_key:
            return True
        token = token_from(query.arguments, facts, facts.cookies)
        return guard.check_write(match[3].decode("ascii"), (match[4] + match[5]).decode("ascii"), token)

    @property
    def _road(self) -> IReplicaRoad:
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
        here = self._replies.own_url
        return tuple([location for location in known if location.url != here])

    def _repeated(self, operation: str, volume_id: int, replicas: tuple[Location, ...], began: float,
                  done: Callable[[str | None], None]) -> Callable[[str | None], None]:
        """``done``, when it has been noted how a change fared on the replicas, to which it is on its way now."""
        instruments, counts, locations = self._instruments, self._tally, self._server.locations
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

    def _upload(self, match: re.Match[bytes], data: bytes, head_end: int, channel: LaneSide, facts: Facts,
                query: ChangeQuery, volume: QuickVolume) -> int:
        limit = self._limit
        length = facts.length
        end = head_end + length
        replicas = () if volume.copy_count == 1 or query.is_replica else self._replicas(volume)
        if length <= 0 or limit.limit and (limit.is_over or end > len(data)) or replicas is None:
            return 0
        if end > len(data):
            return self._gather(data, end, length, channel, facts)
        draft = self._draft(match, data, head_end, end, facts, query)
        if draft is None:
            return 0
        put, name, mime = draft
        variation, is_put = facts.variation, match[1] == b"PUT"
        limit.add(length)
        counts = self._tally
        began = counts.began or counts.seconds()

        def stored(error: str | None = None) -> None:
            limit.release(length)
            if error is None:
                answer = self._replies.created(put, name, mime, variation)
                outcome = POST_SAME if put.is_unchanged else POST_STORED
            else:
                answer = self._replies.not_replicated(volume.id, error, variation)
                outcome = POST_FAILED
            if began == counts.began:
                counts.answers.append(outcome + is_put)
            else:
                counts.note(outcome + is_put, began)
            channel.reply_held(answer, closes=variation >= CLOSE)

        def settled() -> None:
            if not put.is_taken or put.error is not None:
                limit.release(length)
                channel.give_back(data[:end])
            elif replicas:
                repeated = self._repeated("write", volume.id, replicas, began, stored)
                self._road.write_now(
                    b"/" + match[2], replicas, repeated, data=put.data,
                    name=name, mime=mime, flags=put.fields[0], last_modified=put.last_modified,
                    ttl=query.ttl or volume.ttl, fsync=query.fsync, token=query.token(facts))
            else:
                stored()

        # No function here refers to itself: that would be garbage that only the collector of cycles can clear away.
        def done() -> None:
            if not put.is_taken and self._looks_at_place(put, volume, query):
                self._batches.add(volume, put, settled)
            else:
                settled()

        channel.hold("PUT" if is_put else "POST")
        self._batches.add(volume, put, done, query.fsync)
        return end

    def _gather(self, data: bytes, end: int, length: int, channel: LaneSide, facts: Facts) -> int:
        """Wait for the rest of an upload, unless an answer that ends the connection may come before it."""
        if facts.variation >= CLOSE or channel.input_error is not None:
            return 0
        self._limit.add(length)
        channel.gather(data, end - len(data), lambda: self._limit.release(length))
        return len(data)

    def _looks_at_place(self, put: Put, volume: QuickVolume, query: ChangeQuery) -> bool:
        """Whether a needle that has not been stored, since its key is there, may take the place of what is there."""
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
        return True

    def _draft(self, match: re.Match[bytes], data: bytes, start: int, end: int, facts: Facts,
               query: ChangeQuery) -> tuple[Put, bytes, bytes] | None:
        """The needle to store, its name and media type; None when making it takes more than a look."""
        content_type = facts.content_type
        is_form = match[1] == b"POST" and (not content_type or "form-data" in content_type)
        if is_form:
            found = self._forms.file_in(data, start, end, content_type)
            if found is None:
                return None
            (raw_name, name, said), start, end = found
            mime, raw_mime = self._stored_type(name, said, "")
        else:
            if content_type and not is_media_type(content_type):
                return None
            raw_name = match[2]
            name = raw_name.decode("ascii")
            mime, raw_mime = self._stored_type(name, content_type, content_type)
        body = data[start:end]
        if len(body) > self._rules.size_limit or self._is_changed(name, mime, body, query):
            return None
        if len(raw_name) > _MAX_FIELD or len(raw_mime) > _MAX_FIELD:
            return None
        last_modified = (query.modified_time or int(self._now())) & LAST_MODIFIED_MASK
        if query.ttl is None:
            fields = encode_plain_fields(raw_name, raw_mime, last_modified)
        else:
            fields = encode_fields(PLAIN_FLAGS | FLAG_TTL, raw_name, raw_mime, b"", last_modified, query.ttl)
        put = Put(int(match[4], 16), int(match[5], 16), body, crc32c(body), fields, last_modified)
        return put, raw_name, raw_mime

    def _stored_type(self, name: str, said: str, kept: str) -> tuple[str, bytes]:
        """The media type to store, as text and as bytes: remembered, as it depends on the extension only."""
        at = name.rfind(".")
        key = (name[at:] if at > 0 else "", said if kept else said + "\n")
        found = self._types.get(key)
        if found is None:
            mime = stored_mime(name, said, kept, self._rules.mime_types)
            found = mime, mime.encode("utf-8", "surrogateescape")
            if len(said) <= _MAX_FIELD:
                if len(self._types) >= _MAX_REMEMBERED:
                    self._types.clear()
                self._types[key] = found
        return found

    def _is_changed(self, name: str, mime: str, body: bytes, query: ChangeQuery) -> bool:
        """Whether something else than the body itself would be stored."""
        if self._rules.upright is not None:
            return True
        if query.is_replica:
            return False
        kind = mime or detect_content_type(body[:SNIFFED_LENGTH])
        # Names count as extensions here, so only those that begin with a dot can be one.
        return is_compressible(name if name[0] == "." else "", "" if kind == OCTETS else kind)

    # --- deletions -----------------------------------------------------------------------------------------------

    def _delete(self, match: re.Match[bytes], data: bytes, end: int, channel: LaneSide, facts: Facts,
                query: ChangeQuery, volume: QuickVolume) -> int:
        replicas = () if volume.copy_count == 1 or query.is_replica else self._replicas(volume)
        if facts.length > 0 or replicas is None:
            return 0
        key, cookie = int(match[4], 16), int(match[5], 16)
        glimpse = volume.glance(key, self._glancer)
        if not isinstance(glimpse, tuple) or glimpse[0] != cookie or glimpse[3][0] & FLAG_MANIFEST:
            return 0
        size = 4 + len(glimpse[2]) + len(glimpse[3])
        removal = Removal(key, cookie, glimpse[1])

        variation = facts.variation
        counts = self._tally
        began = counts.began or counts.seconds()

        def deleted(error: str | None = None) -> None:
            if error is None:
                answer = self._replies.deleted(size, variation)
                counts.note(DELETED, began)
            else:
                answer = self._replies.not_deleted(error, variation)
                counts.note(DELETE_FAILED, began)
            channel.reply_held(answer, closes=variation >= CLOSE)

        def done() -> None:
            if not removal.is_taken or removal.error is not None:
                channel.give_back(data[:end])
            elif replicas:
                repeated = self._repeated("delete", volume.id, replicas, began, deleted)
                self._road.delete_now(b"/" + match[2], replicas, repeated, token=query.token(facts))
            else:
                deleted()

        channel.hold("DELETE")
        self._batches.add(volume, removal, done)
        return end


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
