"""Members of a tar archive, byte for byte as Go's ``archive/tar`` writes those of regular files: USTAR where a name
fits in it, else with a PAX header before it.
"""

from __future__ import annotations

import posixpath
from typing import Final

BLOCK_LENGTH: Final = 512
END: Final = bytes(2 * BLOCK_LENGTH)
"""What an archive ends with."""

_NAME_LENGTH: Final = 100
_PREFIX_LENGTH: Final = 155
_MODE: Final = 0o644


def member_head(name: bytes, size: int, modified_at: int, uid: int, gid: int) -> bytes:
    """The blocks before the data of a file of ``size`` bytes; ``modified_at`` in seconds of Unix time.

    :raises ValueError: when no archive can hold a file of this name.
    """
    if name.endswith(b"/") or b"\0" in name:
        raise ValueError("an archive cannot hold a file whose name ends with a slash or has a zero byte")
    records = [
        (key, b"%d" % value)
        for key, value, digits in ((b"gid", gid, 7), (b"mtime", modified_at, 11), (b"size", size, 11), (b"uid", uid, 7))
        if value >= 8**digits
    ]
    prefix, base = _split(name)
    has_long_name = prefix is None and (len(name) > _NAME_LENGTH or not name.isascii())
    if has_long_name:
        records.append((b"path", name))
    if not records:
        return _block(base, prefix or b"", b"0", _MODE, uid, gid, size, modified_at)
    body = b"".join(_pax_record(key, value) for key, value in sorted(records))
    directory, slash, file = name.rpartition(b"/")
    pax_name = posixpath.normpath((directory + b"/" if slash else b"") + b"PaxHeaders.0/" + file)
    if pax_name.startswith(b"//"):
        pax_name = pax_name[1:]
    pax_name = _ascii(pax_name)[:_NAME_LENGTH].rstrip(b"/")
    return (
        _block(pax_name, b"", b"x", 0, 0, 0, len(body), 0, has_devices=False) + body + padding(len(body))
        + _block(_cut(_ascii(name)), b"", b"0", _MODE, uid, gid, size, modified_at)
    )


def padding(length: int) -> bytes:
    """What follows ``length`` bytes of data."""
    return bytes(-length % BLOCK_LENGTH)


def _split(name: bytes) -> tuple[bytes | None, bytes]:
    """Prefix and rest of a long name as USTAR stores it; no prefix where that cannot be or need not be."""
    if len(name) <= _NAME_LENGTH or not name.isascii():
        return None, name
    at = name[:_PREFIX_LENGTH + 1].rfind(b"/")
    rest = len(name) - at - 1
    if at <= 0 or rest > _NAME_LENGTH or not rest:
        return None, name
    return name[:at], name[at + 1:]


def _ascii(name: bytes) -> bytes:
    return bytes(byte for byte in name if byte < 0x80)


def _cut(name: bytes) -> bytes:
    """A name that may be too long, with no slash where it is cut."""
    short = name[:_NAME_LENGTH]
    if len(name) > _NAME_LENGTH and short.endswith(b"/"):
        return short.rstrip(b"/")
    return short


def _pax_record(key: bytes, value: bytes) -> bytes:
    fixed = len(key) + len(value) + 3
    size = fixed + len(str(fixed))
    if fixed + len(str(size)) != size:
        size = fixed + len(str(size))
    return b"%d %b=%b\n" % (size, key, value)


def _octal(value: int, length: int) -> bytes:
    if value >= 8 ** (length - 1):
        value = 0
    return b"%0*o\0" % (length - 1, value)


def _block(
    name: bytes, prefix: bytes, kind: bytes, mode: int, uid: int, gid: int, size: int, modified_at: int, *,
    has_devices: bool = True,
) -> bytes:
    devices = _octal(0, 8) * 2 if has_devices else bytes(16)
    before = (
        name.ljust(_NAME_LENGTH, b"\0") + _octal(mode, 8) + _octal(uid, 8) + _octal(gid, 8) + _octal(size, 12)
        + _octal(modified_at, 12)
    )
    after = (
        kind + bytes(100) + b"ustar\x0000" + bytes(64) + devices + prefix.ljust(_PREFIX_LENGTH, b"\0") + bytes(12)
    )
    checksum = sum(before) + sum(after) + 8 * 0x20
    return before + b"%06o\0 " % checksum + after
