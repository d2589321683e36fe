"""Content must be recognised as Go's ``http.DetectContentType`` does.

The table was written by a Go 1.26 program that called the function itself.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.syntax.sniffing import detect_content_type

# content, media type
CONTENTS = (
    (b'', 'text/plain; charset=utf-8'),
    (b'hello', 'text/plain; charset=utf-8'),
    (b'  <html>', 'text/html; charset=utf-8'),
    (b'\n<!DOCTYPE html>', 'text/html; charset=utf-8'),
    (b'<b>', 'text/html; charset=utf-8'),
    (b'<bx>', 'text/plain; charset=utf-8'),
    (b'<a href', 'text/html; charset=utf-8'),
    (b'<!-- x', 'text/html; charset=utf-8'),
    (b'<?xml v', 'text/xml; charset=utf-8'),
    (b'%PDF-1.4', 'application/pdf'),
    (b'%!PS-Adobe-3', 'application/postscript'),
    (b'\xfe\xffab', 'text/plain; charset=utf-16be'),
    (b'\xff\xfea', 'text/plain; charset=utf-8'),
    (b'\xef\xbb\xbfx', 'text/plain; charset=utf-8'),
    (b'\xef\xbb\xbf', 'text/plain; charset=utf-8'),
    (b'\x00\x00\x01\x00', 'image/x-icon'),
    (b'BMx', 'image/bmp'),
    (b'GIF89a', 'image/gif'),
    (b'RIFF1234WEBPVP8', 'image/webp'),
    (b'RIFF1234WAVE', 'audio/wave'),
    (b'RIFF1234AVI ', 'video/avi'),
    (b'\x89PNG\r\n\x1a\n', 'image/png'),
    (b'\xff\xd8\xff\xe0', 'image/jpeg'),
    (b'FORM1234AIFF', 'audio/aiff'),
    (b'ID3', 'audio/mpeg'),
    (b'OggS\x00', 'application/ogg'),
    (b'MThd\x00\x00\x00\x06', 'audio/midi'),
    (b'\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42', 'video/mp4'),
    (b'\x00\x00\x00\x10ftypisomxmp4mp41', 'application/octet-stream'),
    (b'\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41', 'video/mp4'),
    (b'\x1aE\xdf\xa3', 'video/webm'),
    (b'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxLP', 'application/vnd.ms-fontobject'),
    (b'\x00\x01\x00\x00', 'font/ttf'),
    (b'OTTO', 'font/otf'),
    (b'ttcf', 'font/collection'),
    (b'wOFF', 'font/woff'),
    (b'wOF2', 'font/woff2'),
    (b'\x1f\x8b\x08', 'application/x-gzip'),
    (b'PK\x03\x04', 'application/zip'),
    (b'Rar!\x1a\x07\x00', 'application/x-rar-compressed'),
    (b'Rar!\x1a\x07\x01\x00', 'application/x-rar-compressed'),
    (b'\x00asm', 'application/wasm'),
    (b'a\x00', 'application/octet-stream'),
    (b'\x1b[0m', 'text/plain; charset=utf-8'),
    (b'a\x0bb', 'application/octet-stream'),
    (b'{}', 'text/plain; charset=utf-8'),
)


class DetectTests(SynchronousTestCase):
    """One function."""

    def test_go_vectors(self) -> None:
        """Each content gets Go's media type."""
        for data, expected in CONTENTS:
            self.assertEqual(detect_content_type(data), expected, data)

    def test_only_the_head(self) -> None:
        """What comes after 512 bytes does not count."""
        self.assertEqual(detect_content_type(b"a" * 512 + b"\0"), "text/plain; charset=utf-8")
        self.assertEqual(detect_content_type(b"a" * 511 + b"\0"), "application/octet-stream")

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=600))
    def test_always_a_type(self, data: bytes) -> None:
        """Any content has a media type."""
        self.assertIn("/", detect_content_type(data))
