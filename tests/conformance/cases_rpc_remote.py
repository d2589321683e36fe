"""Calls about object stores: what is refused, and fetches from a small store on loopback."""

from __future__ import annotations

from typing import Any, Iterator

from seaweedvol.pb import volume_server_pb2 as pb
from seaweedvol.pb.remote_pb2 import RemoteConf, RemoteStorageLocation
from tests.conformance.cases_rpc_volumes import read
from tests.conformance.rpc_steps import Call, Files, RpcCase, call

VOLUME = 1
ENDPOINTS = (
    "", " ", "h", "ftp://h", "http://", "http://metadata", "http://METADATA.google.internal:80/x", "http://127.0.0.1:1",
    "http://[::1]:1", "http://0.0.0.0", "http://10.1.2.3", "https://192.168.0.1", "http://172.31.0.1",
    "http://100.64.0.1",
    "http://169.254.169.254/latest", "http://169.254.1.1", "http://224.0.0.1", "http://[fe80::1]", "http://[fc00::1]",
    "http://[64:ff9b::7f00:1]", "http://[2002:7f00:1::]", "http://[2001:0:0:0:0:0:80ff:fffe]", "http://[::7f00:1]",
    "http://[::ffff:127.0.0.1]", "http://[ff02::1]", "http://[ff01::1]", "http://localhost:9",
)
FAMILY = {"aliyun": "aliyun", "b2": "backblaze", "baidu": "baidu", "contabo": "contabo", "filebase": "filebase",
          "storj": "storj", "tencent": "tencent", "wasabi": "wasabi"}
CREDENTIALS = ("/etc/passwd", "~/x", '{"type": "external_account"}', '{"type": ""}',
               '{"type": "service_account", "token_uri": "http://127.0.0.1/t"}',
               '{"type": "authorized_user", "token_uri": "http://10.0.0.1/t"}')


def fetch(conf: RemoteConf, volume: int = VOLUME, **more: Any) -> Call:
    """A fetch of ten bytes into needle 1."""
    request = {"offset": 0, "size": 10, "needle_id": 1, "cookie": 0xDEADBEEF, **more}
    location = more.pop("remote_location", RemoteStorageLocation(name="n", bucket="b", path="/k"))
    return Call("FetchAndWriteNeedle", pb.FetchAndWriteNeedleRequest(
        volume_id=volume, remote_conf=conf, **{**request, "remote_location": location}))


def refused() -> Iterator[RpcCase]:
    """Without leave to talk to internal addresses."""
    yield RpcCase("volumes", (
        call("AllocateVolume", volume_id=VOLUME, replication="000", version=3),
        call("AllocateVolume", volume_id=2, replication="000", version=3, collection="c")))
    yield RpcCase("tiers", tuple(
        call(f"VolumeTierMoveDat{way}Remote", volume_id=volume, collection=collection, **more)
        for way, more in (("To", {"destination_backend_name": "s3.nowhere"}), ("To", {}), ("From", {}))
        for volume, collection in ((VOLUME, ""), (VOLUME, "c"), (2, "c"), (2, ""), (99, ""), (99, "c"))
    ) + (Files(),))
    yield RpcCase("endpoints", tuple(fetch(RemoteConf(type="s3", name="n", s3_endpoint=text)) for text in ENDPOINTS))
    for kind, field in FAMILY.items():
        conf = RemoteConf(type=kind, name="n")
        setattr(conf, field + "_endpoint", "http://10.0.0.1")
        yield RpcCase(f"endpoint of {kind}", (fetch(conf),))
    yield RpcCase("azure", tuple(fetch(conf) for conf in (
        RemoteConf(type="azure", name="n"),
        RemoteConf(type="azure", azure_account_name="acc", azure_endpoint="ftp://h"),
        RemoteConf(type="azure", azure_account_name="acc", azure_account_key="a2V5",
                   azure_endpoint="http://127.0.0.1:1"),
    )), known="azure-words")
    yield RpcCase("credentials of gcs", tuple(
        fetch(RemoteConf(type="gcs", name="n", gcs_google_application_credentials=text)) for text in CREDENTIALS))
    yield RpcCase("types", tuple(fetch(RemoteConf(type=kind, name="n")) for kind in ("", "S3", "hdfs", "é")))
    yield RpcCase("no volume", (fetch(RemoteConf(type="s3"), 99), fetch(RemoteConf(), 0)))
    yield RpcCase("nothing written", (read(VOLUME, 1), Files()))


def allowed(endpoint: str) -> Iterator[RpcCase]:
    """With leave, from a store that holds 100 bytes as ``b/k``."""
    yield RpcCase("volume", (call("AllocateVolume", volume_id=VOLUME, replication="000", version=3),))
    conf = RemoteConf(type="s3", name="n", s3_endpoint=endpoint, s3_access_key="AK", s3_secret_key="SK",
                      s3_force_path_style=True, s3_region="us-east-1")
    for offset, size in ((0, 10), (5, 10), (0, 100), (99, 1)):
        yield RpcCase(f"{size} from {offset}", (fetch(conf, offset=offset, size=size), read(VOLUME, 1)))
    for field in ("wasabi", "contabo", "storj", "filebase"):
        other = RemoteConf(type=field, name=field)
        setattr(other, field + "_endpoint", endpoint)
        setattr(other, field + "_access_key", "AK")
        setattr(other, field + "_secret_key", "SK")
        yield RpcCase(field, (fetch(other, offset=7, size=9), read(VOLUME, 1)))
    yield RpcCase("too short", (fetch(conf, offset=95, size=10), fetch(conf, offset=100, size=1)), known="store-words")
    nowhere = RemoteStorageLocation(name="n", bucket="b", path="/none")
    yield RpcCase("missing", (fetch(conf, remote_location=nowhere),), known="store-words")
    yield RpcCase("read-only", (
        call("VolumeMarkReadonly", volume_id=VOLUME), fetch(conf, needle_id=7),
        call("VolumeMarkWritable", volume_id=VOLUME)))
    yield RpcCase("another cookie", (fetch(conf, cookie=1), read(VOLUME, 1)))
