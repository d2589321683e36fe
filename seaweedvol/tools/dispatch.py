"""Runs the tool that a command line asks for, and turns what goes wrong into one line and an exit code.

0: done; 1: it failed, or (``verify``) there were findings; 2: the command line was wrong; 130: interrupted.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import BinaryIO, Final, TextIO

from seaweedvol.storage.errors import StorageError
from seaweedvol.tools.commandline import Command, UsageError, help_page, parse
from seaweedvol.tools.console import Console
from seaweedvol.tools.errors import ToolError
from seaweedvol.tools.names import tool_first

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130


def run_tool(name: str, argv: Sequence[str], out: TextIO, err: TextIO) -> int:
    """Run a tool.

    :param argv: what follows the program's name.
    """
    command: Command = importlib.import_module(f"seaweedvol.tools.{name}").COMMAND
    console = Console(_binary(out), err, f"seaweed-volume {name}")
    argv = tool_first(argv)
    rest = list(argv[1:]) if argv[0] == name else ["-help"]
    try:
        given = parse(command, rest)
    except UsageError as error:
        console.note(f"{error} (see seaweed-volume {name} -help)")
        return EXIT_USAGE
    if given is None:
        console.write(help_page(command).encode())
        console.close()
        return 0
    try:
        with _termination_interrupts():
            code = command.run(given, console)
            console.close()
        return code
    except UsageError as error:
        console.note(f"{error} (see seaweed-volume {name} -help)")
        return EXIT_USAGE
    except KeyboardInterrupt:
        console.note("interrupted; what was not complete has been removed")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our results wants no more of them; the interpreter must not stumble over that at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except (ToolError, StorageError, OSError) as error:
        with contextlib.suppress(OSError):
            console.close()
        console.note(str(error))
        return EXIT_FAILED


@contextlib.contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Encoded(io.RawIOBase):
    """Bytes for a stream that takes text only, as tests have them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, bytes | bytearray | memoryview)
        self._out.write(bytes(data).decode("utf-8", "surrogateescape"))
        return len(data)


def _binary(out: TextIO) -> BinaryIO:
    buffer = getattr(out, "buffer", None)
    return buffer if buffer is not None else io.BufferedWriter(_Encoded(out))
