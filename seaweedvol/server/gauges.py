"""What volumes, disks and limits are like at the moment somebody asks, as families of ``/metrics``.

Where Go sets a gauge with a heartbeat or when a disk is looked at, the same is worked out here when it is read: from
what the store knows, without asking a disk. Callable from any thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from seaweedvol.metrics import families
from seaweedvol.metrics.values import Histogram, metric_of
from seaweedvol.storage.tallies import SYNCS, TORN_TAILS
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.store.events import Event, VolumeAdded, VolumeRemoved
from seaweedvol.store.report import is_phantom

if TYPE_CHECKING:
    from seaweedvol.server.server import VolumeServer
    from seaweedvol.storage.volume.volume import Volume
    from seaweedvol.store.location import Location

VOLUME: Final = "volume"
SHARDS: Final = "ec_shards"
READ_ONLY_TYPES: Final = ("IsReadOnly", "noWriteOrDelete", "noWriteCanDelete", "isDiskSpaceLow")

Values = dict[tuple[str, ...], float]


class Gauges(Collector):
    """All gauges of a server that nobody sets."""

    def __init__(self, server: VolumeServer) -> None:
        self._server = server
        # A collection that has lost its last volume is told of with 0, as from Go, until it is deleted.
        self._known: set[tuple[str, str]] = set()
        server.store.events.subscribe(self._note)

    def forget_collection(self, collection: str) -> None:
        """It has been deleted."""
        self._known -= {(collection, VOLUME), (collection, SHARDS)}

    def _note(self, event: Event) -> None:
        is_volume = isinstance(event, (VolumeAdded, VolumeRemoved))
        self._known.add((event.report.collection, VOLUME if is_volume else SHARDS))

    def collect(self) -> Iterator[Metric]:
        """For a registry."""
        yield from self._volumes()
        yield from self._disks()
        yield from self._limits()
        yield from _storage()

    def _volumes(self) -> Iterator[Metric]:
        look = _Look()
        for location in self._server.store.locations:
            look.add(location)
        self._known |= set(look.counts)
        counts: Values = {labels: look.counts.get(labels, 0) for labels in tuple(self._known)}
        yield metric_of(families.VOLUMES, counts)
        yield metric_of(families.DISK_SIZE, look.sizes)
        yield metric_of(families.READ_ONLY, look.read_only)
        yield metric_of(families.READ_ONLY_REASONS, look.reasons)
        yield metric_of(families.VOLUME_IO_ERRORS, look.io_errors)
        yield metric_of(families.INDEX_BYTES, look.index_bytes)

    def _disks(self) -> Iterator[Metric]:
        resources: Values = {}
        errors: Values = {}
        faults: Values = {}
        reserves: Values = {}
        unserved: Values = {}
        most = 0
        for location in self._server.store.disks:
            name, status = str(location.directory), location.status
            most += 0 if location.trouble else location.max_count
            errors[name, "error"] = 1 if status.error or location.write_fault else 0
            faults[name,], reserves[name,] = location.room.io_errors, location.room.held
            unserved[name,] = len(location.not_served)
            available = location.min_free.available(status)
            resources[name, "all"], resources[name, "used"] = status.all, status.used
            resources[name, "free"], resources[name, "avail"] = status.free, available
            # Go's own dashboard asks for these, which Go does not tell.
            resources[name, "All"], resources[name, "Used"] = status.all, status.used
        yield metric_of(families.RESOURCE, resources)
        yield metric_of(families.DISK_ERROR, errors)
        yield metric_of(families.IO_ERRORS, faults)
        yield metric_of(families.RESERVE, reserves)
        yield metric_of(families.NOT_SERVED, unserved)
        yield metric_of(families.MAX_VOLUMES, {(): most})

    def _limits(self) -> Iterator[Metric]:
        down, up = self._server.download_limit, self._server.upload_limit
        for family, value in (
            (families.DOWNLOAD_LIMIT, down.limit), (families.UPLOAD_LIMIT, up.limit),
            (families.DOWNLOADING, down.in_flight), (families.UPLOADING, up.in_flight),
        ):
            yield metric_of(family, {(): value})


class _Look:
    """Volumes and shards, added up by collection."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.sizes: Values = {}
        self.read_only: Values = {}
        self.reasons: Values = {}
        self.io_errors: Values = {}
        self.index_bytes: Values = {}

    def add(self, location: Location) -> None:
        """All of one directory."""
        for volume in location.loaded():
            collection = volume.collection
            self.counts[collection, VOLUME] += 1
            files = volume.files
            if files is None:
                continue
            _add(self.index_bytes, (collection,), files.needles.memory_bytes())
            if volume.io_errors:
                self.io_errors[str(location.directory), str(volume.id)] = volume.io_errors
            for reason in volume.read_only_reasons:
                _add(self.reasons, (collection, reason.name.lower()), 1)
            if not location.is_unavailable and not volume.is_quarantined and not is_phantom(volume):
                self._add_reported(volume)
        for encoded in list(location.ec_volumes.values()):
            shards = list(encoded.shards.values())
            self.counts[encoded.collection, SHARDS] += len(shards)
            _add(self.sizes, (encoded.collection, "ec"), sum(shard.length for shard in shards))

    def _add_reported(self, volume: Volume) -> None:
        """Sizes and states are those of volumes that the master is told of."""
        collection = volume.collection
        _add(self.sizes, (collection, "normal"), volume.data_length)
        _add(self.sizes, (collection, "deleted_bytes"), volume.counts.deleted_bytes)
        is_read_only = volume.is_read_only
        states = (is_read_only, volume.no_write_or_delete, volume.no_write_can_delete,
                  ReadOnlyReason.LOW_DISK in volume.read_only_reasons)
        for kind, holds in zip(READ_ONLY_TYPES, states):
            _add(self.read_only, (collection, kind), int(is_read_only and holds))


def _add(values: Values, labels: tuple[str, ...], amount: float) -> None:
    values[labels] = values.get(labels, 0) + amount


def _storage() -> Iterator[Metric]:
    counts, seconds = SYNCS.read()
    syncs = Histogram(families.FSYNC_SECONDS)
    syncs.merge(counts, seconds)
    yield syncs.metric()
    yield metric_of(families.TORN_TAILS, {(): TORN_TAILS.value})
