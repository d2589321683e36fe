"""Redirects must look as Go's ``http.Redirect`` makes them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.web.message.redirecting import redirect
from seaweedvol.web.message.request import Headers, make_request


class RedirectTests(SynchronousTestCase):
    """Where a client is sent."""

    def test_get(self) -> None:
        """A browser gets a line to click on, with HTML escaped."""
        reply = redirect(make_request("GET", b"/x", Headers()), "/a?b&c='d'", 307)
        self.assertEqual(reply.headers, [("Location", "/a?b&c='d'"), ("Content-Type", "text/html; charset=utf-8")])
        self.assertEqual(reply.body, b'<a href="/a?b&amp;c=&#39;d&#39;">Temporary Redirect</a>.\n\n')

    def test_other_methods(self) -> None:
        """HEAD gets the type of that line, an upload nothing."""
        head = redirect(make_request("HEAD", b"/x", Headers()), "/a", 301)
        self.assertEqual((len(head.headers), head.body), (2, None))
        put = redirect(make_request("PUT", b"/x", Headers()), "/a", 301)
        self.assertEqual((put.headers, put.body), ([("Location", "/a")], None))

    def test_beyond_ascii(self) -> None:
        """Bytes beyond ASCII are escaped in the header only."""
        reply = redirect(make_request("GET", b"/x", Headers()), "/a?\xc3\xa9", 307)
        self.assertEqual(reply.headers[0], ("Location", "/a?%c3%a9"))
        self.assertEqual(reply.body, b'<a href="/a?\xc3\xa9">Temporary Redirect</a>.\n\n')
