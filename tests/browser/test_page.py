"""``/ui/index.html`` of a running server, as a headless Chromium shows it."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import subprocess
from pathlib import Path

from PIL import Image, ImageStat
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from seaweedvol.pb import volume_server_pb2 as pb
from tests.robustness.running import VolumeProcess

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SECONDS = 60
WIDE, NARROW = (1280, 1600), (390, 3000)
LIGHT, DARK = 1, 0


class PageTests(SynchronousTestCase):
    """A server with two volumes, one of them read-only."""

    def setUp(self) -> None:
        found = os.environ.get("BROWSER_BINARY") or next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            raise SkipTest(f"no browser is here: none of {', '.join(NAMES)}, and BROWSER_BINARY names none")
        self.browser = found
        self.base = Path(self.mktemp()).absolute()
        self.base.mkdir()
        server = VolumeProcess(self.base)
        self.addCleanup(server.kill)
        server.start()
        self.port = server.port
        stub = server.stub()
        for volume_id in (1, 2):
            stub.AllocateVolume(pb.AllocateVolumeRequest(
                volume_id=volume_id, replication="000", collection="b <i>", version=3))
        # Marked by its file, as there is no master to be told.
        stub.VolumeUnmount(pb.VolumeUnmountRequest(volume_id=2))
        info = self.base / "data" / "b <i>_2.vif"
        info.write_text(info.read_text().replace('"readOnly": false', '"readOnly": true'))
        stub.VolumeMount(pb.VolumeMountRequest(volume_id=2))

    def run_browser(self, *arguments: str, url: str = "") -> str:
        """What it prints."""
        return subprocess.run(
            [self.browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={self.base / 'profile'}", "--disable-background-networking", "--no-first-run",
             *arguments, url or f"http://127.0.0.1:{self.port}/ui/index.html"],
            capture_output=True, text=True, timeout=SECONDS, check=True).stdout

    def picture(self, size: tuple[int, int], scheme: int) -> Image.Image:
        """The page as it is seen."""
        path = self.base / f"{size[0]}-{scheme}.png"
        self.run_browser(f"--screenshot={path}", f"--window-size={size[0]},{size[1]}",
                         f"--blink-settings=preferredColorScheme={scheme}")
        with Image.open(path) as found:
            return found.convert("L")

    def test_document(self) -> None:
        """What the browser made of the page: volumes with their states, names as text, plots, all from this server."""
        shown = self.run_browser("--dump-dom")
        self.assertIn("marked read-only", shown)
        self.assertIn("b &lt;i&gt;", shown)
        self.assertNotIn("<i>", shown)
        self.assertEqual(len(re.findall("<svg", shown)), 9)
        for link in re.findall(r'(?:src|href)="([^"]*)"', shown):
            self.assertTrue(link.startswith("/"), link)
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
            connection.request("GET", link)
            self.assertEqual(connection.getresponse().status, 200, link)
            connection.close()

    def test_light_and_dark(self) -> None:
        """Bright or dark as the reader's system is, on a desk and on a phone; never an empty page."""
        for size in (WIDE, NARROW):
            light, dark = (ImageStat.Stat(self.picture(size, scheme)) for scheme in (LIGHT, DARK))
            self.assertGreater(light.mean[0], 200, size)
            self.assertLess(dark.mean[0], 80, size)
            self.assertGreater(min(light.stddev[0], dark.stddev[0]), 5, size)

    def get(self, path: str) -> str:
        """What the server has there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def test_no_column_off_the_screen(self) -> None:
        """Whatever the width, tables are as wide as there is room: with long names, states and stories too."""
        page = self.get("/ui/index.html")
        for short, long in (("b &lt;i&gt;", "pictures-archive"), ("0 %<", "31 %, 9.12 GiB in 388 files<"),
                            ("not since the start", "12 minutes ago: FULL, nothing wrong")):
            page = page.replace(short, long)
        self.assertIn("in 388 files", page)
        style = f"<style>{self.get('/seaweedfsstatic/seaweedvol/page.css')}</style></head>"
        look = ("<script>document.title = 'seen: ' + [...document.querySelectorAll('.wide')]"
                ".map(one => one.scrollWidth - one.clientWidth).join(' ')</script></body>")
        path = self.base / "page.html"
        path.write_text(page.replace("</head>", style).replace("</body>", look), encoding="utf-8")
        for width in (500, 760, 900, 1100, 1270, 1600):
            shown = self.run_browser("--dump-dom", f"--window-size={width},1000", url=path.as_uri())
            self.assertIn("<title>seen: 0</title>", shown, width)

    def test_phone(self) -> None:
        """On a narrow screen nothing sticks out: the outermost columns show nothing but ground."""
        for scheme in (LIGHT, DARK):
            picture = self.picture(NARROW, scheme)
            # Below the heading, whose line goes from edge to edge.
            edge = picture.crop((NARROW[0] - 6, 400, NARROW[0], NARROW[1]))
            self.assertLess(ImageStat.Stat(edge).stddev[0], 1.0, scheme)
