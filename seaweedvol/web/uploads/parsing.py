"""From a POST or PUT to the needle that is to be stored: name, media type, pairs, compression, checks.

Fed with the body chunk by chunk; the file is never whole in memory unless it is small or a picture to be turned. Knows
no volumes and no transport. Facts from SeaweedFS ``weed/storage/needle/needle_parse_upload.go`` (ParseUpload) and
``needle.go`` (CreateNeedleFromRequest).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Final

import attrs

from seaweedvol.deflate import gzip_fastest
from seaweedvol.storage.errors import InvalidId, InvalidSetting
from seaweedvol.storage.format.ttl import EMPTY_TTL, Ttl, parse_ttl
from seaweedvol.storage.ids import parse_needle_path
from seaweedvol.web.contents.compressing import BadGzip, gunzip_chunks, gzip_chunks, is_compressible, is_worth_it
from seaweedvol.web.message.request import Request, parse_bool, parse_uint
from seaweedvol.web.syntax.mimetypes import MimeTypes, system_types
from seaweedvol.web.syntax.sniffing import SNIFFED_LENGTH, detect_content_type
from seaweedvol.web.uploads.intake import END_OF_BODY, Intake, UploadRefused, make_intake
from seaweedvol.web.uploads.parsed import ParsedUpload
from seaweedvol.web.uploads.spool import Spool

__all__ = ["OCTETS", "UploadParser", "UploadRefused", "UploadRules", "stored_mime", "ttl_of", "written_ids"]

PAIR_PREFIX: Final = "Seaweed-"
OCTETS: Final = "application/octet-stream"
# Up to here compressed bytes, and so the ETag, are those of the reference server; it takes half a second a megabyte.
EXACT_GZIP_LENGTH: Final = 1 << 20


@attrs.define(eq=False)
class UploadRules:
    """What the server's settings say of uploads; the limit may change at any time.

    :ivar size_limit: the most bytes a file may have.
    :ivar upright: turns a JPEG the way its EXIF says; None when pictures are left alone.
    :ivar spool_directory: for files beyond 1 MiB; None for the system's.
    """

    size_limit: int
    upright: Callable[[bytes], bytes] | None = None
    mime_types: MimeTypes = attrs.field(factory=system_types)
    spool_directory: str | None = None

    def new_spool(self, with_md5: bool = False) -> Spool:
        """An empty spool."""
        return Spool(directory=self.spool_directory, with_md5=with_md5)


def written_ids(path: str) -> tuple[int, int]:
    """Key and cookie of the needle that an upload to ``path`` writes: what stands between the last comma and the last
    dot. So ``/vid/fid`` does not work for uploads. Go looks at this only after the body.

    :raises UploadRefused: when that is no file id.
    """
    after_comma = path.rpartition(",")[2]
    stem, dot, _ = after_comma.rpartition(".")
    try:
        key, cookie = parse_needle_path(stem if dot else after_comma)
    except InvalidId as error:
        raise UploadRefused(str(error)) from None
    return key, cookie


class UploadParser:
    """``feed`` the body of ``request`` chunk by chunk, then ``finish``.

    An upload that cannot be taken is known early (:attr:`refusal`), but like Go the client is told only after its
    body: what is fed then is dropped.
    """

    def __init__(self, request: Request, rules: UploadRules) -> None:
        self.refusal: UploadRefused | None = None
        self._request = request
        self._rules = rules
        self._intake: Intake | None = None
        try:
            self._intake = make_intake(request, rules.size_limit, rules.new_spool)
        except UploadRefused as error:
            self.refusal = error

    @property
    def wants_more(self) -> bool:
        """Whether the body is to be read on. Of one that is refused all is read, of a form nothing beyond its file."""
        return self._intake is None or self.refusal is not None or not self._intake.is_over

    def feed(self, chunk: bytes) -> None:
        """Take more of the body. Blocks when a large one must go to the disk.

        :raises OSError: when it cannot.
        """
        if self._intake is None or self.refusal is not None:
            return
        try:
            self._intake.feed(chunk)
        except UploadRefused as error:
            self._refuse(error)

    def finish(self, reason: str = END_OF_BODY) -> ParsedUpload:
        """The body is over: check it, compress it. Blocks as long as that takes.

        :param reason: another text when the body could not be read to its end.
        :raises UploadRefused: with the message for a 400.
        """
        if self._intake is not None and self.refusal is None:
            try:
                self._intake.finish(reason)
                return _completed(self._request, self._intake, self._rules)
            except UploadRefused as error:
                self._refuse(error)
        assert self.refusal is not None
        raise self.refusal

    def close(self) -> None:
        """Drop what was taken, when :meth:`finish` is not to be called or has raised."""
        if self._intake is not None:
            self._intake.spool.close()

    def _refuse(self, error: UploadRefused) -> None:
        self.refusal = error
        self.close()


# --- what needs the whole file -----------------------------------------------------------------------------------

def _completed(request: Request, intake: Intake, rules: UploadRules) -> ParsedUpload:
    def said(name: str) -> str:
        return request.query.get(name) or (intake.fields.get(name, "") if intake.file_name else "")

    upload = ParsedUpload(
        file_name=intake.file_name, body=intake.spool, mime=intake.mime, pairs=_pairs(request),
        is_gzipped=intake.is_gzipped, original_size=intake.spool.length,
        modified_time=parse_uint(said("ts")), ttl=ttl_of(said("ttl")), is_manifest=parse_bool(said("cm")),
    )
    if not upload.is_manifest:
        upload.mime = stored_mime(intake.file_name, intake.content_type, intake.mime, rules.mime_types)
    expected = request.headers.get_text("Content-MD5") or intake.content_md5
    size, digest = upload.original_size, intake.spool.md5
    if upload.is_gzipped:
        size, digest = _unpacked(intake.spool, with_md5=expected != "")
        upload.original_size = size
    if expected:
        upload.content_md5 = _checked_md5(expected, digest, size)
    if not intake.is_gzipped and request.query.get("type") != "replicate":
        _compress(upload, rules)
    if rules.upright is not None:
        _turn_upright(upload, rules, rules.upright)
    return upload


def _pairs(request: Request) -> dict[str, str]:
    names = [name for name, _ in request.headers if name.startswith(PAIR_PREFIX)]
    return {name[len(PAIR_PREFIX):]: request.headers.get_text(name) for name in names}


def ttl_of(text: str) -> Ttl:
    """A time to live; none for what cannot be read, as in Go."""
    try:
        return parse_ttl(text)
    except InvalidSetting:
        return EMPTY_TTL


def stored_mime(name: str, content_type: str, mime: str, mime_types: MimeTypes) -> str:
    """What the client says, unless it says nothing or "bytes"; then what the extension says, if the body was a part.

    A raw body keeps even ``application/octet-stream``.

    :param content_type, mime: as in :class:`Intake`.
    """
    by_name = mime_types.by_extension(name[name.rfind("."):].lower()) if name.rfind(".") > 0 else ""
    if content_type not in ("", OCTETS, by_name):
        return content_type
    if not mime and by_name != OCTETS:
        return by_name
    return mime


def _unpacked(spool: Spool, *, with_md5: bool) -> tuple[int, bytes]:
    """Size and MD5 of what gzip data holds; of the data itself when it is no whole gzip."""
    size, md5 = 0, hashlib.md5(usedforsecurity=False)
    try:
        for chunk in gunzip_chunks(spool.chunks()):
            size += len(chunk)
            if with_md5:
                md5.update(chunk)
        return size, md5.digest()
    except BadGzip:
        raw = hashlib.md5(usedforsecurity=False)
        for chunk in spool.chunks() if with_md5 else ():
            raw.update(chunk)
        return spool.length, raw.digest()


def _checked_md5(expected: str, digest: bytes, size: int) -> str:
    received = base64.b64encode(digest).decode("ascii")
    if expected != received:
        raise UploadRefused("Content-MD5 did not match md5 of file data "
                            f"expected [{expected}] received [{received}] size {size}")
    return received


def _compress(upload: ParsedUpload, rules: UploadRules) -> None:
    """Replace the body by its gzip where the reference server is sure that it pays, and it does."""
    mime = upload.mime or detect_content_type(upload.body.read(0, SNIFFED_LENGTH))
    base = upload.file_name or "."
    if not is_compressible(base, "" if mime == OCTETS else mime):
        return
    packed = rules.new_spool()
    if upload.body.length <= EXACT_GZIP_LENGTH:
        packed.write(gzip_fastest(upload.body.getvalue()))
    else:
        packed.write_all(gzip_chunks(upload.body.chunks()))
    if is_worth_it(packed.length, upload.body.length):
        upload.body.close()
        upload.body = packed
        upload.is_gzipped = True
    else:
        packed.close()


def _turn_upright(upload: ParsedUpload, rules: UploadRules, upright: Callable[[bytes], bytes]) -> None:
    is_jpeg = upload.mime == "image/jpeg" or upload.file_name.lower().endswith((".jpg", ".jpeg"))
    if not is_jpeg or upload.body.read(0, 2) != b"\xff\xd8":
        return
    data = upload.body.getvalue()
    turned = upright(data)
    if turned is not data and turned != data:
        upload.body.close()
        upload.body = rules.new_spool()
        upload.body.write(turned)
