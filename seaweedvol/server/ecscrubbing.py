"""Looking through encoded volumes for damage: their index, their needles, the checksums of their shards.

Modes, texts and counts are those of SeaweedFS ``volume_grpc_scrub.go``, ``ec_volume_scrub.go`` and
``store_ec_scrub.go``, but for this: the shards of all disks count as one volume's, a needle that cannot be read does
not end the search, and where a needle is damaged the shard that is to blame is named too. Nothing is changed.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Final

import attrs

from seaweedvol.server.ecfindings import BrokenShard, Findings, Whole, find_whole
from seaweedvol.server.ecneedlechecking import check_needles
from seaweedvol.server.ecsumchecking import check_sums
from seaweedvol.server.errors import Refused
from seaweedvol.server.scrubbing import FULL, INDEX, LOCAL, SMALL_LENGTH
from seaweedvol.storage.errors import StorageError
from seaweedvol.storage.volume.rowchecking import check_rows
from seaweedvol.storage.volume.still import Still

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer

CHECKSUM: Final = 4
MODES: Final = {INDEX: "INDEX", FULL: "FULL", LOCAL: "LOCAL", CHECKSUM: "CHECKSUM"}


@attrs.define
class EcScrubbed:
    """What was looked through, and what was found; ``details`` are in Go's words."""

    volumes: int = 0
    files: int = 0
    broken_ids: list[int] = attrs.Factory(list)
    shards: list[BrokenShard] = attrs.Factory(list)
    details: list[str] = attrs.Factory(list)


def scrub(
    server: VolumeServer, volume_ids: Iterable[int], mode: int, *, checks_deleted: bool = False,
) -> Generator[None, None, EcScrubbed]:
    """Look through these volumes, or all if there are none; gives None where it may be ended.

    :param checks_deleted: with FULL, also tell of needles that are live by the index but deleted by their record.
    :raises Refused: when a volume is not here (those before it were looked through in vain, as in Go), or the mode is
        unknown.
    """
    if checks_deleted and mode != FULL:
        raise Refused("deleted needle checks are only supported for FULL scrubs")
    wanted = list(volume_ids) or list(dict.fromkeys(int(volume.id) for volume in server.store.erasure.volumes()))
    result = EcScrubbed()
    for volume_id in wanted:
        whole = find_whole(server, volume_id)
        if mode not in MODES:
            raise Refused(f"unsupported EC volume scrub mode {mode}")
        found = yield from _scrub_one(server, whole, mode, checks_deleted)
        result.volumes += 1
        result.files += found.files
        if found.details or found.shards:
            result.broken_ids.append(volume_id)
            result.shards += sorted(found.shards.values())
            result.details += found.details
        server.chronicle.note_scrub(volume_id, MODES[mode], len(found.details) + len(found.shards))
    return result


def _scrub_one(
    server: VolumeServer, whole: Whole, mode: int, checks_deleted: bool,
) -> Generator[None, None, Findings]:
    found = Findings()
    try:
        if mode == CHECKSUM:
            yield from check_sums(server, whole, found)
            return found
        _check_index(server, whole, found)
        yield None
        if mode != INDEX:
            yield from check_needles(
                server, whole, found, everywhere=mode == FULL, checks_deleted=checks_deleted)
    except (StorageError, OSError) as error:
        found.add(str(error))
    return found


def _check_index(server: VolumeServer, whole: Whole, found: Findings) -> None:
    index = whole.volume.index
    if not index.length:
        found.add(f"zero-size ECX file for EC volume {whole.id}")
        return
    descriptor = index.descriptor
    still = Still(
        volume_id=whole.id, version=whole.volume.version, width=index.width, index_length=index.length, data_length=0,
        data_path="", owner=os.getpid(), index_descriptor=descriptor.number, data_descriptor=-1)
    is_small = index.length <= SMALL_LENGTH
    rows = check_rows(still) if is_small else server.workers.run(check_rows, still)
    found.files = rows.row_count
    for failure in rows.failures:
        found.add(failure)
    if rows.more:
        found.add(f"{rows.more} more failures on volume {whole.id}")
