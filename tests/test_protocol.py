"""The generated code in the package says what the ``.proto`` files say, and these what is on SeaweedFS's wire."""

from __future__ import annotations

import ast
import importlib.util
import pathlib
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.pb import master_pb2, volume_server_pb2

PROJECT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "seaweedvol" / "pb"


def load_generator() -> ModuleType:
    """``proto/generate.py``, which lies outside every package."""
    spec = importlib.util.spec_from_file_location("generate", PROJECT / "proto" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def descriptor_in(path: pathlib.Path) -> bytes:
    """The serialized file descriptor inside a generated module: all of its meaning, without the compiler's version."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
            found = ast.literal_eval(node.args[0])
            assert isinstance(found, bytes)
            return found
    raise AssertionError(f"no descriptor in {path}")


def names_in(path: pathlib.Path) -> set[str]:
    """``Class.member`` of everything that a stub or a service module declares."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
            for child in node.body:
                if isinstance(child, ast.FunctionDef):
                    found.add(f"{node.name}.{child.name}")
                elif isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
                    found.add(f"{node.name}.{child.target.id}")
    return found


class GeneratedCodeTests(SynchronousTestCase):
    """``python proto/generate.py`` was run after the last change of a ``.proto`` file."""

    def setUp(self) -> None:
        self.fresh = pathlib.Path(self.mktemp())
        load_generator().generate(self.fresh)

    def test_same_files(self) -> None:
        """Neither side has a module that the other lacks."""
        expected = {path.name for path in self.fresh.iterdir()} | {"__init__.py"}
        self.assertEqual({path.name for path in PACKAGE.iterdir() if path.is_file()}, expected)

    def test_same_messages(self) -> None:
        """Every message, field, number and call of a fresh run is in the committed code."""
        for path in self.fresh.glob("*_pb2.py"):
            self.assertEqual(descriptor_in(PACKAGE / path.name), descriptor_in(path), path.name)

    def test_same_names(self) -> None:
        """Stubs and service classes of a fresh run declare the same names."""
        for path in [*self.fresh.glob("*.pyi"), *self.fresh.glob("*_pb2_grpc.py")]:
            self.assertEqual(names_in(PACKAGE / path.name), names_in(path), path.name)


class WireTests(SynchronousTestCase):
    """A few facts of SeaweedFS 4.44 that a slip of the pen would break silently."""

    def test_services(self) -> None:
        """Both services are complete and have the names that clients call."""
        volume = volume_server_pb2.DESCRIPTOR.services_by_name["VolumeServer"]
        master = master_pb2.DESCRIPTOR.services_by_name["Seaweed"]
        self.assertEqual((volume.full_name, len(volume.methods)), ("volume_server_pb.VolumeServer", 49))
        self.assertEqual(master.full_name, "master_pb.Seaweed")

    def test_bytes_of_a_message(self) -> None:
        """A message as a Go client sends it: field numbers and types, not names, are what travels."""
        request = volume_server_pb2.VolumeDeleteRequest(volume_id=300, only_empty=True, keep_remote_data=True)
        self.assertEqual(request.SerializeToString(), bytes.fromhex("08ac02 1001 1801"))

    def test_presence(self) -> None:
        """The digest of a heartbeat is told from "no digest" also when it is 0."""
        beat = master_pb2.Heartbeat(volume_digest=0)
        self.assertTrue(beat.HasField("volume_digest"))
        self.assertFalse(master_pb2.Heartbeat().HasField("volume_digest"))
