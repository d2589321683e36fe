"""Looking through whole volumes for damage, while they are read and written; as SeaweedFS ``volume_grpc_scrub.go``.

No lock is held: a volume is looked at as it was at one moment. What keeps Python busy is done in a worker process, in
steps of about a second; a step whose process dies is done again by the next one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import attrs

from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.interfaces import RemoteCallFailed
from seaweedvol.storage.errors import StorageError, VolumeClosed
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.recordchecking import check_records, length_failure
from seaweedvol.storage.volume.rowchecking import MOST_FAILURES, check_rows, empty_index_failure

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.volume.recordchecking import Step
    from seaweedvol.storage.volume.still import Held, Still
    from seaweedvol.storage.volume.volume import Volume

INDEX: Final = 1
FULL: Final = 2
LOCAL: Final = 3
_MODES: Final = {INDEX: "INDEX", FULL: "FULL", LOCAL: "LOCAL"}

#: A volume of up to so many bytes, .dat and .idx, is looked through faster than a process is made.
SMALL_LENGTH: Final = 2 << 20

P = ParamSpec("P")
T = TypeVar("T")


@attrs.define
class Scrubbed:
    """What was looked through, and what was found; ``details`` are in Go's words."""

    volumes: int = 0
    files: int = 0
    broken: list[Volume] = attrs.Factory(list)
    details: list[str] = attrs.Factory(list)


@attrs.define
class Findings:
    """Of one volume: rows of its .idx, and what is wrong."""

    rows: int = 0
    failures: list[str] = attrs.Factory(list)
    _more: int = 0

    def add(self, failures: Iterable[str], more: int = 0) -> None:
        """Take note, up to a point beyond which they are only counted."""
        for failure in failures:
            if len(self.failures) < MOST_FAILURES:
                self.failures.append(failure)
            elif failure:
                self._more += 1
        self._more += more

    def end(self, volume_id: int) -> Findings:
        """Say how many there were that are not told of."""
        if self._more:
            self.failures.append(f"{self._more} more failures on volume {volume_id}")
        return self


def scrub(
    server: VolumeServer, volume_ids: Iterable[int], mode: int, *, mark_broken: bool = False,
) -> Scrubbed:
    """Look through these volumes, or all if there are none; with ``mark_broken`` make what is broken read-only.

    :raises Refused: when a volume is not here (those before it were looked through in vain, as in Go), the mode is
        unknown, or a broken volume could not be marked.
    """
    wanted = list(volume_ids) or [
        volume_id for location in server.store.locations for volume_id in sorted(location.volumes)]
    result = Scrubbed()
    for volume_id in wanted:
        volume = server.store.find(VolumeId(volume_id))
        if volume is None:
            raise Refused(f"volume id {volume_id} not found", Kind.ABSENT)
        if mode not in _MODES:
            raise Refused(f"unsupported volume scrub mode {mode}")
        found = scrub_volume(server, volume, with_records=mode != INDEX)
        result.volumes += 1
        result.files += found.rows
        if found.failures:
            result.broken.append(volume)
            result.details += found.failures
        server.chronicle.note_scrub(volume_id, _MODES[mode], len(found.failures))
    # Where there is nothing to look through any mode will do, and a name for each number would be too many.
    if mode in _MODES:
        server.instruments.note_scrub(_MODES[mode], len(result.broken), now=server.clock())
    if mark_broken:
        _mark(server, result)
    return result


def _mark(server: VolumeServer, result: Scrubbed) -> None:
    errors = []
    for volume in result.broken:
        try:
            server.volumes.mark_readonly(volume.id, persist=True)
        except (Refused, RemoteCallFailed, StorageError, OSError) as error:
            errors.append(str(error))
        else:
            result.details.append(f"volume {volume.id} is now read-only")
    if errors:
        raise Refused("\n".join(errors))


def scrub_volume(server: VolumeServer, volume: Volume, *, with_records: bool) -> Findings:
    """The rows of its .idx, and ``with_records`` all they tell of, as at this moment."""
    findings = Findings()
    try:
        held = volume.hold_still()
    except VolumeClosed:
        findings.add([f"volume {volume.id} has no data backend"])
        return findings
    except OSError as error:
        words = f"open {error.filename}: {(error.strerror or str(error)).lower()}"
        findings.add([f"failed to open IDX file {volume.index_path} for volume {volume.id}: {words}"])
        return findings
    failure = empty_index_failure(held.still)
    if failure:
        findings.add([failure])
        return findings
    return _look_through(server, held, findings, with_records)


def _look_through(server: VolumeServer, held: Held, findings: Findings, with_records: bool) -> Findings:
    still = held.still
    try:
        rows = _at_work(server, still, check_rows)(still)
        findings.rows = rows.row_count
        findings.add(rows.failures, rows.more)
        if with_records:
            _look_through_records(server, held, findings)
    except OSError as error:
        findings.add([str(error)])
    return findings.end(still.volume_id)


def _look_through_records(server: VolumeServer, held: Held, findings: Findings) -> None:
    still = held.still
    check: Callable[[Still, int], Step] = _at_work(server, still, check_records)
    if still.data_descriptor < 0:
        # Elsewhere: mostly waiting, which a thread can do.
        check = functools.partial(check_records, read_at=held.read_at)
    row = record_bytes = 0
    while row < still.row_count:
        if server.life.is_stopping:
            raise Refused("the server is stopping")
        step = check(still, row)
        row, record_bytes = step.next_row, record_bytes + step.record_bytes
        findings.add(step.failures)
    failure = length_failure(still, findings.rows, record_bytes)
    if failure:
        findings.add([failure])


def _at_work(server: VolumeServer, still: Still, work: Callable[P, T]) -> Callable[P, T]:
    """``work`` where it disturbs nobody."""
    if still.data_length + still.index_length <= SMALL_LENGTH:
        return work
    return functools.partial(server.workers.run, work)
