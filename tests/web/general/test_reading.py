"""Reads of needles that are here: who may, conditions, headers, and data made to fit. Golden answers: test_golden."""

from __future__ import annotations

import gzip
import io
import random

from PIL import Image
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.security.jwt import mint
from seaweedvol.storage.ids import VolumeId
from seaweedvol.web.contents.conditional import http_date
from tests.conformance.exchange import Response
from tests.web.serving import NOW, fid, make_world

TEXT = b"text that is worth packing, " * 50


class ReadingTests(SynchronousTestCase):
    """A server with one volume."""

    def setUp(self) -> None:
        self.world = make_world(self)
        self.world.allocate()

    def get(self, path: str, *headers: tuple[str, str], method: str = "GET") -> Response:
        """A read, which must leave nothing counted."""
        answer = self.world.ask(method, path, None, *headers)
        self.assertEqual(self.world.server.download_limit.in_flight, 0)
        return answer


class AdmissionTests(ReadingTests):
    """What cannot be read."""

    def test_token(self) -> None:
        """With a key for reads only a token for this very file opens it; the list of peers is for writers only."""
        path = self.world.put(1, b"data")
        self.world.server.guard.update(["10.0.0.1"], b"", 0, b"secret", 60)
        self.assertEqual((self.get(path).status, self.get(path).body), (401, b'{"error":"wrong jwt"}'))
        token = mint(b"secret", path[1:], 10**9)
        self.assertEqual(self.get(f"{path}?jwt={token}").body, b"data")
        self.assertEqual(self.get(fid(2) + f"?jwt={token}").status, 401)

    def test_malformed(self) -> None:
        """Ids that are none are told nothing."""
        for path in ("/", "/1", "/x,015eaf00d5", "/1,01", "/1,zz5eaf00d5"):
            self.assertEqual((self.get(path).status, self.get(path).body), (400, b""), path)

    def test_not_there(self) -> None:
        """Never stored, deleted, or another's cookie: not found."""
        path = self.world.put(1, b"data")
        self.assertEqual(self.get(fid(2)).status, 404)
        self.assertEqual(self.get(fid(1, cookie="00000001")).status, 404)
        self.world.ask("DELETE", path)
        self.assertEqual(self.get(path).status, 404)
        self.assertEqual(self.get(path + "?readDeleted=true").body, b"data")

    def test_empty(self) -> None:
        """An empty needle is opened by any cookie."""
        self.world.put(1, b"")
        answer = self.get(fid(1, cookie="00000001"))
        self.assertEqual((answer.status, answer.header("Content-Length"), answer.body), (200, "0", b""))

    def test_damaged(self) -> None:
        """A small needle is checked before anything of it is sent."""
        path = self.world.put(1, b"data that is damaged")
        with open(self.world.server.store.get(VolumeId(1)).data_path, "r+b") as file:
            data = file.read().replace(b"damaged", b"Damaged")
            file.seek(0)
            file.write(data)
        self.assertEqual((self.get(path).status, self.get(path).body), (500, b""))


class HeaderTests(ReadingTests):
    """What is told about the data."""

    def test_conditions(self) -> None:
        """Who has the data already gets none."""
        path = self.world.put(1, b"data")
        etag = self.get(path).header("Etag") or ""
        for name, value, status in (
                ("If-None-Match", etag, 304), ("If-None-Match", '"other"', 200), ("If-None-Match", "*", 200),
                ("If-Modified-Since", http_date(int(NOW)), 304), ("If-Modified-Since", http_date(int(NOW) - 1), 200)):
            answer = self.get(path, (name, value))
            self.assertEqual((answer.status, answer.body), (status, b"" if status == 304 else b"data"), (name, value))

    def test_name(self) -> None:
        """The name in the path goes before the stored one, but the stored type before both; ``dl`` asks to save it."""
        self.world.put(1, b"data", ("Content-Disposition", 'inline; filename="kept.css"'))
        answer = self.get(fid(1))
        self.assertEqual(answer.header("Content-Disposition"), "inline; filename=kept.css")
        self.assertEqual(answer.header("Content-Type"), "text/css; charset=utf-8")
        answer = self.get("/1/015eaf00d5/as%20asked.png?dl=true")
        self.assertEqual(answer.header("Content-Disposition"), 'attachment; filename="as asked.png"')
        self.assertEqual(answer.header("Content-Type"), "text/css; charset=utf-8")
        self.world.put(2, b"data", ("Content-Type", "application/octet-stream"))
        self.assertEqual(self.get("/1/025eaf00d5/a.png").header("Content-Type"), "image/png")

    def test_pairs(self) -> None:
        """Pairs become headers."""
        path = self.world.put(1, b"data", ("Seaweed-Colour", "blue"), ("Seaweed-Cache-Control", "no-store"))
        answer = self.get(path)
        self.assertEqual((answer.header("Colour"), answer.header("Cache-Control")), ("blue", "no-store"))

    def test_overridden(self) -> None:
        """The query may set some headers, but no more than one line each."""
        path = self.world.put(1, b"data", ("Content-Type", "text/plain"))
        answer = self.get(path + "?response-content-type=a/b&response-Cache-Control=x%0d%0aSet-Cookie:%20y")
        self.assertEqual((answer.header("Content-Type"), answer.header("Cache-Control")), ("a/b", "x  Set-Cookie: y"))
        self.assertEqual(answer.header("Set-Cookie"), None)


class ContentTests(ReadingTests):
    """Data made to fit."""

    def test_packed(self) -> None:
        """What was packed comes packed to who takes that, else as it was."""
        path = self.world.put(1, TEXT, ("Content-Type", "text/plain"))
        packed = self.get(path, ("Accept-Encoding", "gzip, br"))
        self.assertEqual((packed.header("Content-Encoding"), gzip.decompress(packed.body)), ("gzip", TEXT))
        plain = self.get(path)
        self.assertEqual((plain.header("Content-Encoding"), plain.body), (None, TEXT))
        self.assertEqual(self.get(path, ("Range", "bytes=5-9")).body, TEXT[5:10])

    def test_packed_in_vain(self) -> None:
        """What only claims to be packed comes as it is; what is damaged comes as nothing."""
        odd = self.world.put(1, b"no gzip at all", ("Content-Encoding", "gzip"))
        self.assertEqual(self.get(odd).body, b"no gzip at all")
        damaged = self.world.put(2, gzip.compress(TEXT)[:-12], ("Content-Encoding", "gzip"))
        self.assertEqual(self.get(damaged).body, b"")

    def test_large_packed(self) -> None:
        """Gzip of any size is sent as it is or undone on the way, whole or in parts; broken data are an error."""
        data = random.Random(5).randbytes(3 << 19) + bytes(4 << 20)
        packed = gzip.compress(data, 1)
        path = self.world.put(1, packed, ("Content-Encoding", "gzip"))
        self.assertTrue(self.get(path, ("Accept-Encoding", "gzip")).body == packed)
        whole = self.get(path)
        self.assertEqual((whole.header("Content-Encoding"), whole.body == data), (None, True))
        self.assertEqual(self.get(path, method="HEAD").header("Content-Length"), str(len(data)))
        self.assertTrue(self.get(path, ("Range", "bytes=1000000-2000000")).body == data[1000000:2000001])
        parts = self.get(path, ("Range", "bytes=2000000-2000009,5-9"))
        self.assertIn(data[5:10], parts.body)
        self.assertEqual(parts.status, 206)
        file, = self.world.server.store.locations[0].directory.glob("*.dat")
        with file.open("r+b") as volume:
            volume.seek(1 << 20)
            volume.write(b"broken")
        self.assertEqual(self.get(path).status, 500)

    def test_picture(self) -> None:
        """Pictures are cut and made smaller on request; what is no picture stays as it is."""
        buffer = io.BytesIO()
        Image.new("RGB", (40, 20), (0, 0, 255)).save(buffer, "PNG")
        self.world.put(1, buffer.getvalue(), ("Content-Type", "image/png"))
        for query, size in (("width=10", (10, 5)), ("crop_x1=0&crop_y1=0&crop_x2=8&crop_y2=4", (8, 4)),
                            ("crop_x1=0&crop_y1=0&crop_x2=8&crop_y2=4&width=4", (4, 2)), ("width=-5", (40, 20))):
            answer = self.get(f"/1/015eaf00d5/picture.png?{query}")
            self.assertEqual(Image.open(io.BytesIO(answer.body)).size, size, query)
            self.assertEqual(answer.header("Content-Length"), str(len(answer.body)))
        self.world.put(2, b"no picture")
        self.assertEqual(self.get("/1/025eaf00d5/picture.png?width=10").body, b"no picture")

    def test_large_picture(self) -> None:
        """Also those that otherwise are never whole in memory."""
        picture = Image.effect_noise((1400, 1400), 100)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        self.assertGreater(len(buffer.getvalue()), 1 << 20)
        self.world.put(1, buffer.getvalue())
        answer = self.get("/1/015eaf00d5/picture.png?width=14")
        self.assertEqual(Image.open(io.BytesIO(answer.body)).size, (14, 14))

    def test_head(self) -> None:
        """HEAD tells of the data as they are stored, whatever the query wants of them."""
        path = self.world.put(1, b"data", ("Content-Type", "image/png"))
        answer = self.get(path + ".png?width=2", method="HEAD")
        self.assertEqual((answer.status, answer.header("Content-Length"), answer.body), (200, "4", b""))
