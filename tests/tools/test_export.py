"""Tests for ``export``, its archives and its names."""

from __future__ import annotations

import io
import os
import tarfile

from hypothesis import given, settings, strategies as st
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.storage.format.fields import FLAG_COMPRESSED
from seaweedvol.storage.format.ttl import Ttl
from seaweedvol.tools import tararchive
from seaweedvol.tools.commandline import UsageError
from seaweedvol.tools.nametemplate import NameValues, parse_template
from tests.tools.volumes import TIME, draft, fresh, golden, make_volume, read_file, run


class ArchiveTests(SynchronousTestCase):
    """Tests for :mod:`tararchive`."""

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet="abcé/", min_size=1, max_size=300).filter(lambda text: not text.endswith("/")),
           st.sampled_from((0, 5, 8**11 - 1, 8**11)), st.sampled_from((0, 1000, 8**7)))
    def test_readable(self, name: str, size: int, uid: int) -> None:
        """What is written is read by somebody else's reader as it was meant."""
        head = tararchive.member_head(name.encode(), size, TIME, uid, 1)
        self.assertEqual(len(head) % 512, 0)
        with tarfile.open(fileobj=io.BytesIO(head)) as archive:
            member = archive.next()
        assert member is not None
        self.assertEqual((member.name, member.size, member.mtime), (name.rstrip("/"), size, TIME))
        self.assertEqual((member.uid, member.gid, member.mode), (uid, 1, 0o644))

    def test_impossible(self) -> None:
        """Names that no archive holds are refused."""
        for name in (b"a/", b"a\0b"):
            self.assertRaises(ValueError, tararchive.member_head, name, 1, 0, 0, 0)


class TemplateTests(SynchronousTestCase):
    """Tests for :func:`parse_template`."""

    VALUES = NameValues(b"n.txt", b"1f", b"text/plain", b"3,1f00", b".txt")

    def test_fields(self) -> None:
        """Fields, spaces, trimming dashes and comments are as in Go."""
        for template, expected in (
            ("{{.Id}}_{{.Name}}{{.Ext}}", b"1f_n.txt.txt"), ("{{ .Mime }}/{{.Key}}", b"text/plain/3,1f00"),
            ("a {{- .Id -}} b", b"a1fb"), ("x{{/* no */}}y", b"xy"), ("plain", b"plain"), ("", b""),
        ):
            self.assertEqual(parse_template(template)(self.VALUES), expected, template)

    def test_mistakes(self) -> None:
        """What we do not know is refused, not printed."""
        for template in ("{{.Nope}}", "{{.Id", "{{printf .Id}}", "{{}}"):
            self.assertRaises(UsageError, parse_template, template)


class ExportTests(SynchronousTestCase):
    """Tests for the tool as a whole."""

    def setUp(self) -> None:
        """A volume with one needle of each kind that matters."""
        self.directory = fresh(self.mktemp)
        volume = make_volume(self.directory)
        for key in (1, 2, 3):
            volume.append(draft(key, b"data %d" % key))
        volume.append(draft(4, b""))
        volume.append(draft(1, b"newer"))
        volume.delete(2, draft(2, b"").cookie)
        packed = draft(5, b"\x1f\x8b rest", ttl=Ttl(3, 3))
        packed.flags |= FLAG_COMPRESSED
        volume.append(packed)
        volume.append(draft(6, b"x", name="é".encode()))
        volume.close()

    def export(self, *argv: str) -> list[list[str]]:
        """The rows of a listing."""
        ran = run("export", f"-dir={self.directory}", "-volumeId=7", *argv)
        self.assertEqual((ran.code, ran.err), (0, ""))
        titles, *lines = [line.split("\t") for line in ran.out.splitlines()]
        self.assertEqual(titles[0], "key")
        return lines

    def test_listing(self) -> None:
        """Live needles are listed in the order of the .dat, with what is known of them."""
        lines = self.export()
        self.assertEqual([line[1] for line in lines], ["file 3.txt", "file 1.txt", "file 5.txt", "é"])
        self.assertEqual(lines[2][2:5] + lines[2][6:8], ["7", "true", "text/plain", "3d", "false"])
        self.assertEqual(lines[0][0], "7,030000" + f"{3 * 7919:04x}")

    def test_deleted(self) -> None:
        """Deletions and what was deleted are listed when asked for."""
        self.assertEqual([line[1] for line in self.export("-deleted")], [
            "file 1.txt", "file 2.txt", "file 3.txt", "file 1.txt", "*tombstone", "file 5.txt", "é",
        ])

    def test_limits(self) -> None:
        """A number and a time limit the list."""
        self.assertEqual(len(self.export("-limit=2")), 2)
        self.assertEqual(len(self.export("-newer=2020-01-01T00:00:00")), 4)
        self.assertEqual(self.export("-newer=2030-01-01T00:00:00"), [])

    def test_archive(self) -> None:
        """The archive holds the data under the names that were asked for."""
        path = os.path.join(self.directory, "out.tar")
        ran = run("export", f"-dir={self.directory}", "-volumeId=7", f"-o={path}", "-fileNameFormat={{.Id}}-{{.Name}}")
        self.assertEqual((ran.code, ran.out, ran.err), (0, "", ""))
        with tarfile.open(path) as archive:
            found = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
        self.assertEqual(found, {
            "3-file 3.txt": b"data 3", "1-file 1.txt": b"newer", "5-file 5.txt.gz": b"\x1f\x8b rest", "6-é": b"x",
        })
        self.assertTrue(read_file(path).endswith(bytes(1024)))

    def test_mistakes(self) -> None:
        """A bad time, output or name is a mistake on the command line."""
        for flag in ("-newer=yesterday", "-o=out.zip", "-fileNameFormat={{.No}}"):
            self.assertEqual(run("export", f"-dir={self.directory}", "-volumeId=7", flag).code, 2)

    def test_old_versions(self) -> None:
        """Volumes of the older layouts are listed too."""
        for name, number in (("version1", 1), ("version2", 2)):
            ran = run("export", f"-dir={golden(self.mktemp, name)}", f"-volumeId={number}")
            self.assertEqual(ran.code, 0)
            self.assertEqual(len(ran.out.splitlines()), 44)
