"""Tests for L{seaweedvol.storage.format.volumeinfo}."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb.volume_server_pb2 import EcShardConfig, RemoteFile
from seaweedvol.storage.errors import FormatError
from seaweedvol.storage.format.volumeinfo import VolumeInfo, dump_volume_info, load_volume_info
from tests import strategies
from tests.golden import reading

infos = st.builds(
    VolumeInfo,
    files=st.lists(st.builds(
        RemoteFile, backend_type=st.text(max_size=5), backend_id=st.text(max_size=5), key=st.text(max_size=9),
        offset=strategies.uint64s, file_size=strategies.uint64s, modified_time=strategies.uint64s,
        extension=st.just(".dat"),
    ), max_size=2),
    version=strategies.uint32s, replication=st.text(max_size=3), bytes_offset=strategies.uint32s,
    dat_file_size=st.integers(-2**63, 2**63 - 1), expire_at_sec=strategies.uint64s, read_only=st.booleans(),
    ec_shard_config=st.none() | st.builds(EcShardConfig, data_shards=strategies.uint32s),
    read_only_can_delete=st.booleans(),
)


class VolumeInfoTests(SynchronousTestCase):
    """The .vif file."""

    @given(infos)
    @settings(max_examples=100, deadline=None)
    def test_round_trip(self, info: VolumeInfo) -> None:
        """What is written is read back, and every field is written."""
        text = dump_volume_info(info)
        self.assertEqual(load_volume_info(text), info)
        self.assertEqual(list(json.loads(text)), [field.json_name for field in VolumeInfo.DESCRIPTOR.fields])

    def test_golden(self) -> None:
        """What the Go server wrote is understood, and we would write the same."""
        told = {}
        for path in reading.infos():
            text = path.read_bytes()
            told[f"{path.parent.name}/{path.stem}"] = info = load_volume_info(text)
            self.assertEqual(json.loads(dump_volume_info(info)), json.loads(text))
        self.assertEqual(told["needles/1"], VolumeInfo(version=3, bytes_offset=4))
        self.assertEqual(told["settings/2"], VolumeInfo(version=3, bytes_offset=4, read_only=True))
        self.assertEqual(
            told["settings/3"], VolumeInfo(version=3, bytes_offset=4, read_only=True, read_only_can_delete=True),
        )
        self.assertEqual(told["settings/4"], VolumeInfo(version=3, bytes_offset=4, replication="012"))
        self.assertEqual(told["settings/kelp_7"], VolumeInfo(version=3, bytes_offset=4))
        self.assertEqual(told["settings/8"], VolumeInfo(version=3, bytes_offset=4))
        self.assertGreater(told["settings/5"].expire_at_sec, 4 * 10**9)

    def test_empty(self) -> None:
        """An empty file says nothing."""
        self.assertEqual(load_volume_info(b""), VolumeInfo())

    def test_names(self) -> None:
        """The names of the message's own definition are taken too, and those of the first releases."""
        self.assertEqual(load_volume_info(b'{"dat_file_size": "7", "bytes_offset": 5}'),
                         VolumeInfo(dat_file_size=7, bytes_offset=5))
        self.assertEqual(load_volume_info(b'{"version": 3, "BytesOffset": 5, "DestroyTime": "9", "readOnly": true}'),
                         VolumeInfo(version=3, bytes_offset=5, expire_at_sec=9, read_only=True))

    def test_malformed(self) -> None:
        """What is no JSON object, has a field nobody knows or a value of another kind is refused."""
        for text in (b"{", b"[]", b"7", b'{"version": "x"}', b'{"depth": 4}', b'{"version": -1}', b"\xff", b"[" * 9999,
                     b'{"version": 3, "DestroyTime": 4, "readOnlyCanDelete": true}'):
            self.assertRaises(FormatError, load_volume_info, text)

    @given(st.binary(max_size=60) | st.text(alphabet='{}[]":,0123456789aesrtuflnvio \\', max_size=60).map(str.encode))
    @settings(max_examples=200, deadline=None)
    def test_any_bytes(self, text: bytes) -> None:
        """Any bytes are a message, or a L{FormatError}."""
        try:
            info = load_volume_info(text)
        except FormatError:
            return
        self.assertEqual(load_volume_info(dump_volume_info(info)), info)
