"""Multipart bodies, parsed as bytes arrive, with the rules, limits and error texts of Go's ``mime/multipart``.

Sans-io: bytes in, events out. Never holds a part's data, only a line or a possible boundary. Knows nothing of uploads.
Facts from Go 1.26 ``mime/multipart/multipart.go`` and ``net/textproto/reader.go``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from seaweedvol.storage.ids import go_quote
from seaweedvol.web.message.partheaders import HeaderError, PartHeaderReader
from seaweedvol.web.message.request import Headers
from seaweedvol.web.syntax.disposition import MediaTypeError, parse_media_type
from seaweedvol.web.syntax.quotedprintable import LINE_TOO_LONG, QuotedPrintableDecoder
from seaweedvol.web.syntax.urls import base_name, text_of

LINE_LIMIT: Final = 4096
END_OF_BODY: Final = "EOF"
CUT_SHORT: Final = "unexpected EOF"


class NotMultipart(Exception):
    """Raised when a Content-Type does not announce a multipart body; the text is Go's."""


def boundary_of(content_type: str) -> str:
    """The boundary that ``content_type`` (text as in :mod:`seaweedvol.web.syntax.urls`) announces.

    :raises NotMultipart: when there is none.
    """
    try:
        media_type = parse_media_type(content_type)
    except MediaTypeError:
        media_type = None
    if media_type is None or media_type.kind not in ("multipart/form-data", "multipart/mixed"):
        raise NotMultipart("request Content-Type isn't multipart/form-data")
    if "boundary" not in media_type.parameters:
        raise NotMultipart("no multipart boundary param in Content-Type")
    return media_type.parameters["boundary"]


@attrs.frozen
class PartBegan:
    """A part's headers are complete; its data follows."""

    headers: Headers

    @property
    def file_name(self) -> str:
        """The base of the file name in Content-Disposition, "" when there is none."""
        name = self._parameters.get("filename", "")
        return base_name(name) if name else ""

    @property
    def form_name(self) -> str:
        """The name of the form's field, "" when there is none."""
        return self._parameters.get("name", "")

    @property
    def _parameters(self) -> Mapping[str, str]:
        try:
            return parse_media_type(self.headers.get_text("Content-Disposition")).parameters
        except MediaTypeError:
            return {}


@attrs.frozen
class Data:
    """Some of the current part's data, its transfer encoding undone."""

    data: bytes


@attrs.frozen
class PartSpoiled:
    """The current part's transfer encoding is broken here, with Go's ``message``; no more of its data will come.

    Whoever only skips the part need not mind, as in Go.
    """

    message: str


@attrs.frozen
class PartEnded:
    """The current part is over."""


@attrs.frozen
class Ended:
    """The final boundary was seen; whatever follows is not looked at."""


@attrs.frozen
class Failed:
    """Nothing more can be read. ``message`` is what Go's reader returns at this point."""

    message: str


Event = PartBegan | Data | PartSpoiled | PartEnded | Ended | Failed


class _State(enum.Enum):
    LINES = "between parts"
    HEADERS = "in a part's headers"
    BODY = "in a part's data"
    OVER = "nothing more is read"


class MultipartParser:
    """``feed`` the body, then ``finish``; both give the events that follow from it, ``Failed`` or ``Ended`` last."""

    def __init__(self, boundary: bytes) -> None:
        self._dashed = b"--" + boundary
        self._line_end = b"\r\n"
        self._buffer = bytearray()
        self._state = _State.LINES
        self._parts_read = 0
        self._part_total = 0
        self._saw_separator = False
        self._headers = PartHeaderReader()
        self._decoder: QuotedPrintableDecoder | None = None
        self._is_spoiled = False
        self._end_reason: str | None = None
        self._events: list[Event] = []
        if not boundary:
            self._fail("multipart: boundary is empty")

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes."""
        if self._state is not _State.OVER:
            self._buffer += data
            self._run()
        return self._take_events()

    def finish(self, reason: str = END_OF_BODY) -> list[Event]:
        """The events that the end of the body brings.

        :param reason: the error that reading the body ended with.
        """
        if self._state is not _State.OVER:
            self._end_reason = reason
            self._run()
        return self._take_events()

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _run(self) -> None:
        while True:
            if self._state is _State.LINES:
                goes_on = self._step_lines()
            elif self._state is _State.HEADERS:
                goes_on = self._step_headers()
            elif self._state is _State.BODY:
                goes_on = self._step_body()
            else:
                return
            if not goes_on:
                return

    def _fail(self, message: str) -> bool:
        return self._stop(Failed(message))

    def _stop(self, event: Event) -> bool:
        self._events.append(event)
        self._state = _State.OVER
        self._buffer.clear()
        return False

    # --- between parts -----------------------------------------------------------------------------------------

    def _step_lines(self) -> bool:
        end = self._buffer.find(b"\n", 0, LINE_LIMIT) + 1
        if end:
            line = bytes(self._buffer[:end])
            del self._buffer[:end]
            return self._take_line(line)
        if len(self._buffer) >= LINE_LIMIT:
            return self._fail("multipart: NextPart: " + LINE_TOO_LONG)
        if self._end_reason is None:
            return False
        if self._end_reason == END_OF_BODY and self._is_final(bytes(self._buffer)):
            return self._stop(Ended())
        return self._fail("multipart: NextPart: " + self._end_reason)

    def _take_line(self, line: bytes) -> bool:
        if self._is_delimiter(line):
            self._parts_read += 1
            self._saw_separator = False
            self._headers = PartHeaderReader()
            self._state = _State.HEADERS
        elif self._is_final(line):
            return self._stop(Ended())
        elif self._saw_separator:
            return self._fail("multipart: expecting a new Part; got line " + go_quote(text_of(line)))
        elif self._parts_read and line != self._line_end:
            return self._fail("multipart: unexpected line in Next(): " + go_quote(text_of(line)))
        else:
            self._saw_separator = self._parts_read > 0
        return True

    def _is_final(self, line: bytes) -> bool:
        end = self._dashed + b"--"
        return line.startswith(end) and line[len(end):].lstrip(b" \t") in (b"", self._line_end)

    def _is_delimiter(self, line: bytes) -> bool:
        if not line.startswith(self._dashed):
            return False
        rest = line[len(self._dashed):].lstrip(b" \t")
        if not self._parts_read and rest == b"\n":
            self._line_end = b"\n"          # the body uses bare line feeds, so from here on only these count
        return rest == self._line_end

    # --- headers -----------------------------------------------------------------------------------------------

    def _step_headers(self) -> bool:
        try:
            headers = self._headers.read(self._buffer, self._end_reason)
        except HeaderError as error:
            return self._fail(str(error))
        if headers is None:
            return False
        self._decoder = None
        self._is_spoiled = False
        if headers.get("Content-Transfer-Encoding").lower() == "quoted-printable":
            headers = Headers(pair for pair in headers if pair[0] != "Content-Transfer-Encoding")
            self._decoder = QuotedPrintableDecoder()
        self._part_total = 0
        self._state = _State.BODY
        self._events.append(PartBegan(headers))
        return True

    # --- data --------------------------------------------------------------------------------------------------

    def _step_body(self) -> bool:
        length, is_over = self._scan()
        if length:
            data = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._part_total += length
            self._give(data)
        if is_over:
            return self._end_part()
        if length:
            return True
        if self._end_reason is None:
            return False
        if self._decoder is not None:
            self._give_decoded(*self._decoder.finish(is_whole=False))
        return self._fail(CUT_SHORT if self._end_reason == END_OF_BODY else self._end_reason)

    def _scan(self) -> tuple[int, bool]:
        """How many bytes from the front of the buffer are data for sure, and whether the boundary follows them."""
        buffer = self._buffer
        if not self._part_total:
            if buffer.startswith(self._dashed):
                verdict = self._after_prefix(len(self._dashed))
                return (len(self._dashed), False) if verdict is False else (0, verdict is True)
            if self._dashed.startswith(buffer):
                return 0, False
        prefix = self._line_end + self._dashed
        at = buffer.find(prefix)
        if at >= 0:
            verdict = self._after_prefix(at + len(prefix))
            return (at + len(prefix), False) if verdict is False else (at, verdict is True)
        if prefix.startswith(buffer):
            return 0, False
        last = buffer.rfind(prefix[:1])
        return (last if last >= 0 and prefix.startswith(buffer[last:]) else len(buffer)), False

    def _after_prefix(self, at: int) -> bool | None:
        """Whether what ends at ``at`` is a boundary; None when the next bytes must decide."""
        following = self._buffer[at:at + 2]
        if not following:
            return None if self._end_reason is None else True
        if following[0] in b" \t\r\n" or following == b"--":
            return True
        return None if following == b"-" and self._end_reason is None else False

    def _give(self, data: bytes) -> None:
        if self._decoder is not None:
            self._give_decoded(*self._decoder.feed(data))
        elif not self._is_spoiled:
            self._events.append(Data(data))

    def _give_decoded(self, data: bytes, error: Exception | None) -> None:
        if data:
            self._events.append(Data(data))
        if error is not None:
            self._events.append(PartSpoiled(str(error)))
            self._decoder = None
            self._is_spoiled = True

    def _end_part(self) -> bool:
        if self._decoder is not None:
            self._give_decoded(*self._decoder.finish())
        self._state = _State.LINES
        self._events.append(PartEnded())
        return True
