"""Generate ``seaweedvol/pb`` from the ``.proto`` files beside this script: ``python proto/generate.py [OUTPUT]``.

The files keep their plain names on the wire ("master.proto"), as reflection clients expect them, so the imports that
protoc writes into Python are turned into imports of our package afterwards.
"""

import pathlib
import re
import sys

from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parent / "seaweedvol" / "pb"
NAMES = ("remote", "volume_server", "master", "profile")
SERVICES = ("volume_server", "master")
PLAIN_IMPORT = re.compile(r"^import (\w+_pb2) as ", re.MULTILINE)


def generate(output: pathlib.Path) -> None:
    """Write messages, their type stubs and the service classes of every .proto file into ``output``."""
    output.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        arguments = ["protoc", f"-I{HERE}", f"--python_out={output}", f"--pyi_out={output}"]
        if name in SERVICES:
            arguments.append(f"--grpc_python_out={output}")
        if protoc.main([*arguments, f"{name}.proto"]) != 0:
            raise SystemExit(f"protoc refused {name}.proto")
    for path in sorted([*output.glob("*_pb2*.py"), *output.glob("*_pb2.pyi")]):
        text = PLAIN_IMPORT.sub(r"from seaweedvol.pb import \1 as ", path.read_text())
        path.write_text(text)


if __name__ == "__main__":
    generate(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)
