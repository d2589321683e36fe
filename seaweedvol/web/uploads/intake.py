"""The two ways a file comes in with a request: as the whole body, or as a part of a multipart body.

Sans-io: bytes in, a spool and what the headers say of it out. Decides nothing that needs the whole file; that is
:mod:`parsing`'s. Facts from SeaweedFS ``weed/storage/needle/needle_parse_upload.go`` (parseUpload).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from seaweedvol.web.message.request import Headers, Request
from seaweedvol.web.syntax.disposition import MediaTypeError, parse_media_type
from seaweedvol.web.syntax.urls import base_name, bytes_of
from seaweedvol.web.uploads.multipart import (
    CUT_SHORT, END_OF_BODY, Data, Ended, Event, Failed, MultipartParser, NotMultipart, PartBegan, PartEnded,
    PartSpoiled, boundary_of,
)
from seaweedvol.web.uploads.spool import Spool


#: Fields of a form, before its file, that say what the query may say. Go overlooks them; its own form parser is late.
FIELDS: Final = ("ts", "ttl", "cm")
_FIELD_LENGTH: Final = 64


class UploadRefused(Exception):
    """Raised when an upload cannot be taken; the text is for the client, with status 400."""


class Intake(Protocol):
    """A file on its way in.

    :ivar content_type: what the request or part says of it, "" for nothing.
    :ivar mime: what is stored unless something better is found.
    :ivar content_md5: what the part's Content-MD5 says, "" otherwise.
    :ivar fields: of the form around the file, those in :data:`FIELDS`.
    :ivar is_over: whether the file is complete, whatever follows it in the body.
    """

    file_name: str
    content_type: str
    mime: str
    content_md5: str
    is_gzipped: bool
    spool: Spool
    fields: dict[str, str]
    is_over: bool

    def feed(self, chunk: bytes) -> None:
        """Take more of the body.

        :raises UploadRefused: when it cannot be read or is too long.
        """
        ...

    def finish(self, reason: str) -> None:
        """The body is over.

        :param reason: :data:`END_OF_BODY`, or why it could not be read further.
        :raises UploadRefused: as :meth:`feed`.
        """
        ...


NewSpool = Callable[[bool], Spool]
"""Makes a spool; the argument tells whether the MD5 of its bytes is wanted."""


def make_intake(request: Request, size_limit: int, new_spool: NewSpool) -> Intake:
    """The right :class:`Intake` for a request's headers.

    :raises UploadRefused: when they announce a multipart body and do not describe it.
    """
    content_type = request.headers.get_text("Content-Type")
    if request.method != "POST" or (content_type and "form-data" not in content_type):
        return RawIntake(request, size_limit, new_spool)
    try:
        boundary = boundary_of(content_type)
    except NotMultipart as error:
        raise UploadRefused(str(error)) from None
    return PartIntake(boundary, request.headers, size_limit, new_spool)


def windows_base(name: str) -> str:
    """The last element of a path of either kind of system."""
    return base_name(name.replace("\\", "/"))


def _write_limited(spool: Spool, data: bytes, size_limit: int) -> None:
    if spool.length + len(data) > size_limit:
        raise UploadRefused(f"file over the limited {size_limit} bytes")
    spool.write(data)


class RawIntake:
    """The body is the file; its name comes from Content-Disposition or else from the URL."""

    def __init__(self, request: Request, size_limit: int, new_spool: NewSpool) -> None:
        name = _disposition_name(request.headers.get_text("Content-Disposition"))
        self.file_name = windows_base(name) if name else base_name(request.path)
        self.content_type = self.mime = request.headers.get_text("Content-Type")
        self.content_md5 = ""
        self.is_gzipped = request.headers.get("Content-Encoding") == "gzip"
        self.fields: dict[str, str] = {}
        self.is_over = False
        self.spool = new_spool(_wants_md5(request.headers) and not self.is_gzipped)
        self._size_limit = size_limit

    def feed(self, chunk: bytes) -> None:
        """See :class:`Intake`."""
        _write_limited(self.spool, chunk, self._size_limit)

    def finish(self, reason: str) -> None:
        """See :class:`Intake`."""
        if reason != END_OF_BODY:
            raise UploadRefused(reason)


def _wants_md5(headers: Headers) -> bool:
    return headers.get("Content-MD5") != ""


def _disposition_name(disposition: str) -> str:
    """The file name, or else the name, of a Content-Disposition that may lack its type; "" when there is none."""
    if "name=" not in disposition:
        return ""
    if not disposition.startswith(("inline", "attachment")):
        disposition = "attachment; " + disposition
    try:
        parameters = parse_media_type(disposition).parameters
    except MediaTypeError:
        return ""
    return parameters.get("filename", parameters.get("name", ""))


class PartIntake:
    """The file is the first part; when that has no file name, the first later part that has one, if there is any."""

    def __init__(self, boundary: str, headers: Headers, size_limit: int, new_spool: NewSpool) -> None:
        self.file_name = self.content_type = self.mime = self.content_md5 = ""
        self.is_gzipped = False
        self.spool = new_spool(False)
        self._wants_md5 = _wants_md5(headers)
        self._size_limit = size_limit
        self._new_spool = new_spool
        self._parser = MultipartParser(bytes_of(boundary))
        self._has_file = False            # a first part was taken, so faults between parts do not matter any more
        self._is_taking = False
        self.is_over = False
        self.fields: dict[str, str] = {}
        self._field = ""

    def feed(self, chunk: bytes) -> None:
        """See :class:`Intake`."""
        if not self.is_over:
            self._take(self._parser.feed(chunk))

    def finish(self, reason: str) -> None:
        """See :class:`Intake`."""
        if not self.is_over:
            self._take(self._parser.finish(reason))

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if self.is_over:
                return
            self._take_one(event)

    def _take_one(self, event: Event) -> None:
        if isinstance(event, Data):
            if self._field:
                self._add_to_field(event.data)
            if self._is_taking:
                _write_limited(self.spool, event.data, self._size_limit)
        elif isinstance(event, PartBegan):
            self._begin(event)
        elif isinstance(event, PartEnded):
            self._has_file = True
            self._is_taking = False
            self.is_over = self.file_name != ""
        elif isinstance(event, PartSpoiled):
            if self._is_taking:
                raise UploadRefused(event.message)
        elif self._is_taking or not self._has_file:
            raise UploadRefused(_message(event))
        else:
            self.is_over = True

    def _add_to_field(self, data: bytes) -> None:
        text = self.fields.get(self._field, "") + data[:_FIELD_LENGTH].decode("utf-8", "replace")
        self.fields[self._field] = text[:_FIELD_LENGTH]

    def _begin(self, part: PartBegan) -> None:
        name = part.file_name
        self._field = part.form_name if not name and part.form_name in FIELDS else ""
        if self._has_file and not name:
            return
        self._is_taking = True
        self.file_name = windows_base(name) if name else ""
        self.content_type = part.headers.get_text("Content-Type")
        self.content_md5 = part.headers.get_text("Content-MD5")
        self.is_gzipped = part.headers.get("Content-Encoding") == "gzip"
        self.spool.close()
        self.spool = self._new_spool((self._wants_md5 or self.content_md5 != "") and not self.is_gzipped)


def _message(event: Ended | Failed) -> str:
    """Go's ``NextPart`` gives io.EOF where no part is left."""
    return event.message if isinstance(event, Failed) else END_OF_BODY


__all__ = ["CUT_SHORT", "END_OF_BODY", "Intake", "PartIntake", "RawIntake", "UploadRefused", "make_intake"]
