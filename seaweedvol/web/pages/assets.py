"""The few files that the page needs, under SeaweedFS's names, served as Go's file server does it.

No needle is involved, so these replies carry none of the headers of the file routes. The files are our own.
"""

from __future__ import annotations

import os
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final
from urllib.parse import quote

from seaweedvol.web.contents.content import deliver, header_value
from seaweedvol.web.message.reply import BytesSource, Reply, text_error
from seaweedvol.web.message.request import Request
from seaweedvol.web.syntax.mimetypes import system_types
from seaweedvol.web.syntax.sniffing import detect_content_type
from seaweedvol.web.syntax.urls import extension

PREFIX: Final = "/seaweedfsstatic"


def favicon(request: Request) -> Reply:
    """``/favicon.ico``."""
    return _file(request, _root() / "favicon.ico")


def asset(request: Request) -> Reply:
    """What lies below ``/seaweedfsstatic/``: a file, or a list of a folder."""
    path = request.path.removeprefix(PREFIX)
    place: Traversable = _root()
    for name in path.split("/"):
        if name in ("", "."):
            continue
        place = place / name
        if name == ".." or "\\" in name or not (place.is_dir() or place.is_file()):
            return text_error(404, "404 page not found")
    if place.is_dir():
        return _folder(place) if path.endswith("/") else _moved(request, path.rpartition("/")[2] + "/")
    if path.endswith("/"):
        return _moved(request, f"../{place.name}")
    return _file(request, place)


def _root() -> Traversable:
    return files("seaweedvol.web") / "static"


def _moved(request: Request, place: str) -> Reply:
    """Go's file server redirects relative to the request, without a body."""
    return Reply(301, [("Location", quote(place))])


def _folder(place: Traversable) -> Reply:
    names = sorted(child.name + ("/" if child.is_dir() else "") for child in place.iterdir())
    lines = "".join(f'<a href="{quote(name)}">{name}</a>\n' for name in names)
    text = f'<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n{lines}</pre>\n'
    return Reply(200, [("Content-Type", "text/html; charset=utf-8")], text.encode("utf-8"))


def _file(request: Request, place: Traversable) -> Reply:
    data = place.read_bytes()
    mime = system_types().by_extension(extension(place.name)) or detect_content_type(data)
    reply = Reply(200, [("Accept-Ranges", "bytes"), ("Content-Type", header_value(mime))])
    return deliver(request, reply, source=BytesSource(data), total=len(data), mime=mime, entropy=os.urandom)
