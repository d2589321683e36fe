"""Why a volume takes no writes: log, page, metrics and ``/status`` tell it, and stop to when it is not so any more."""

from __future__ import annotations

import errno
import html
import json
import logging

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.errors import VolumeFull
from seaweedvol.storage.ids import VolumeId
from seaweedvol.storage.volume.readonly import ReadOnlyReason
from seaweedvol.storage.volume.volume import Volume
from seaweedvol.store.diskspace import MinFree
from tests.storage.volume.building import draft
from tests.web.serving import fid, make_world

ONE, OTHER = VolumeId(1), VolumeId(2)


class Lines(logging.Handler):
    """Collects what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        self.lines.append(record.getMessage())


class ReasonTests(SynchronousTestCase):
    """A server with two volumes, one of which gets into all sorts of trouble."""

    def setUp(self) -> None:
        self.world = make_world(self)
        self.world.allocate(1)
        self.world.allocate(2)
        self.world.put(3, b"data")
        self.log = Lines()
        logger = logging.getLogger("seaweedvol.store")
        logger.addHandler(self.log)
        self.addCleanup(logger.removeHandler, self.log)
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.INFO)

    @property
    def volume(self) -> Volume:
        """As it is served now."""
        return self.world.server.store.get(ONE)

    def told(self) -> str:
        """The reason that ``/status`` gives for volume 1, "" for none."""
        found = {one["Id"]: one for one in json.loads(self.world.ask("GET", "/status").body)["Volumes"]}
        self.assertEqual("ReadOnlyReason" in found[1], found[1]["ReadOnly"])
        return str(found[1].get("ReadOnlyReason", ""))

    def metrics(self) -> set[str]:
        """The reasons that metrics name."""
        metrics = {metric.name: metric for metric in self.world.server.gauges.collect()}
        return {each.labels["reason"] for each in metrics["seaweedvol_read_only_volumes"].samples}

    def page(self) -> str:
        """The page."""
        return html.unescape(self.world.ask("GET", "/ui/index.html").body.decode())

    def check_told(self, reason: ReadOnlyReason, detail: str = "") -> None:
        """It is told everywhere."""
        text = f"{reason.value} ({detail}" if detail else reason.value
        self.assertTrue(self.told().startswith(text), self.told())
        self.assertIn(text, self.page())
        self.assertEqual(self.metrics(), {reason.name.lower()})
        self.assertTrue(any((detail or reason.value) in line for line in self.log.lines), self.log.lines)
        answer = self.world.ask("PUT", fid(4), b"more")
        self.assertEqual(answer.status, 500)
        said = json.loads(answer.body)["error"]
        self.assertTrue(said.startswith("failed to write to local disk: volume 1 is read only"), said)
        self.assertEqual(text in said, reason is not ReadOnlyReason.ADMIN)
        self.log.lines.clear()

    def check_gone(self, reason: ReadOnlyReason) -> None:
        """It is told nowhere, but that it is gone in the log."""
        self.assertEqual((self.told(), self.metrics()), ("", set()))
        self.assertNotIn(reason.value, self.page())
        self.assertTrue(any("writes again" in line for line in self.log.lines), self.log.lines)
        self.assertEqual(self.world.ask("PUT", fid(4), b"more").status, 201)
        self.assertEqual(self.world.ask("GET", fid(3)).body, b"data")

    def test_admin(self) -> None:
        """Somebody wanted it so, until somebody wants it otherwise."""
        self.world.server.store.mark_read_only(ONE)
        self.check_told(ReadOnlyReason.ADMIN)
        self.world.server.store.mark_writable(ONE)
        self.check_gone(ReadOnlyReason.ADMIN)

    def test_full(self) -> None:
        """No offset is left, until it is compacted; the .dat is a hole up to there."""
        volume = self.volume
        assert volume.files is not None
        length, limit = volume.data_length, volume.width.max_volume_length
        volume.files.data.truncate(limit)
        self.assertRaises(VolumeFull, volume.append, draft(50))
        self.check_told(ReadOnlyReason.FULL, f"{limit} bytes, and offsets reach {limit}")
        volume.files.data.truncate(length)
        list(volume.compact())
        volume.commit_compaction()
        self.check_gone(ReadOnlyReason.FULL)

    def test_low_disk(self) -> None:
        """Less is free than must be, until more is."""
        location = self.world.server.store.locations[0]
        usual, location.min_free = location.min_free, MinFree(amount=1 << 60)
        location.check_space()
        status = json.loads(self.world.ask("GET", "/status").body)["DiskStatuses"][0]
        self.assertRegex(status["low_space"], r"disk free .* < required 1\.00 EiB")
        self.world.server.store.mark_read_only(OTHER)
        self.world.server.store.mark_writable(OTHER)
        self.assertTrue(any("is still read-only: disk space is low" in line for line in self.log.lines))
        self.check_told(ReadOnlyReason.LOW_DISK, "disk free ")
        location.min_free = usual
        location.check_space()
        self.check_gone(ReadOnlyReason.LOW_DISK)
        self.assertNotIn(b"low_space", self.world.ask("GET", "/status").body)

    def test_not_served(self) -> None:
        """A volume that could not be loaded is told of in status, page and metrics."""
        self.assertNotIn(b"NotServed", self.world.ask("GET", "/status").body)
        location = self.world.server.store.locations[0]
        file = location.directory / "b_9.dat"
        file.write_bytes(b"\xffgarbage in the superblock")
        file.with_suffix(".idx").touch()
        location.load()
        found = json.loads(self.world.ask("GET", "/status").body)["NotServed"]
        self.assertEqual([(one["Id"], one["File"]) for one in found], [(9, str(file))])
        self.assertTrue(found[0]["Reason"])
        page = html.unescape(self.world.ask("GET", "/ui/index.html").body.decode())
        self.assertIn(f"not served: {file}: ", page)

    def test_integrity(self) -> None:
        """The last row says another key than the record at its place, until an operator has looked at it."""
        store = self.world.server.store
        self.world.put(5, b"last")
        path = self.volume.index_path
        store.unmount(ONE)
        rows = bytearray(path.read_bytes())
        rows[-9] = 6
        path.write_bytes(rows)
        store.mount(ONE)
        self.check_told(ReadOnlyReason.INTEGRITY)
        store.mark_writable(ONE)
        self.check_gone(ReadOnlyReason.INTEGRITY)

    def test_io_error(self) -> None:
        """The disk failed three times in a row, until an operator says that it is well."""
        for _ in range(3):
            self.volume._core.note_error(OSError(errno.EIO, "Input/output error"))
        self.check_told(ReadOnlyReason.IO_ERROR, "[Errno 5] Input/output error")
        self.world.server.store.mark_writable(ONE)
        self.check_gone(ReadOnlyReason.IO_ERROR)
        found = {one["Id"]: one for one in json.loads(self.world.ask("GET", "/status").body)["Volumes"]}
        self.assertEqual((found[1]["IoErrors"], "IoErrors" in found[2]), (3, False))

    def test_tiered(self) -> None:
        """Its data are elsewhere, until they are back; what moves them is tested with the moving."""
        for reason in (ReadOnlyReason.MOVING, ReadOnlyReason.REMOTE):
            self.volume._core.close(reason)
            self.check_told(reason)
            self.volume._core.open(reason)
            self.check_gone(reason)
            self.assertEqual(self.world.ask("DELETE", fid(4)).status, 202)
