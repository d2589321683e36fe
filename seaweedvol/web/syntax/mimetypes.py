"""File name extensions and their media types: Go's builtin table, the tables of the system, what SeaweedFS registers.

Reads the system's files once, on the first question. Facts from Go 1.26 ``mime/type.go`` and ``mime/type_unix.go``:
the first globs2 file found wins over all mime.types files, which otherwise are read one after the other.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from seaweedvol.web.syntax.disposition import SPACE, MediaTypeError, format_media_type, parse_media_type

GLOB_FILES: Final = ("/usr/local/share/mime/globs2", "/usr/share/mime/globs2")
TYPE_FILES: Final = ("/etc/mime.types", "/etc/apache2/mime.types", "/etc/apache/mime.types",
                     "/etc/httpd/conf/mime.types")

BUILTIN: Final = {
    "application/gzip": "gz", "application/json": "json", "application/msword": "doc",
    "application/octet-stream": "bin com exe", "application/pdf": "pdf", "application/postscript": "ai eps ps",
    "application/rdf+xml": "rdf", "application/rtf": "rtf", "application/vnd.android.package-archive": "apk",
    "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/wasm": "wasm", "application/xhtml+xml": "xht xhtml", "application/zip": "zip",
    "audio/flac": "flac", "audio/mp4": "m4a", "audio/mpeg": "mp3", "audio/ogg": "oga ogg opus", "audio/wav": "wav",
    "audio/webm": "webm", "image/apng": "apng", "image/avif": "avif", "image/bmp": "bmp", "image/gif": "gif",
    "image/jpeg": "jfif jpeg jpg pjp pjpeg", "image/png": "png", "image/svg+xml": "svg", "image/tiff": "tif tiff",
    "image/vnd.microsoft.icon": "ico", "image/webp": "webp", "image/x-xbitmap": "xbm", "message/rfc822": "eml",
    "text/calendar": "ics", "text/css": "css", "text/csv": "csv", "text/html": "ehtml htm html shtml",
    "text/javascript": "js mjs", "text/plain": "text txt", "text/vtt": "vtt", "text/xml": "xbl xml xsl",
    "video/mp4": "mp4", "video/ogg": "ogv",
}

# What the ``weed`` program adds at its start, whatever command it runs; these go before the builtin and the system's.
REGISTERED: Final = {
    "application/gzip": "gz", "application/javascript": "js mjs", "application/json": "json",
    "application/msword": "doc", "application/pdf": "pdf", "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/x-7z-compressed": "7z", "application/x-bzip2": "bz2", "application/x-rar-compressed": "rar",
    "application/x-tar": "tar", "application/xml": "xml", "application/zip": "zip", "audio/aac": "aac",
    "audio/flac": "flac", "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/wav": "wav", "image/bmp": "bmp",
    "image/gif": "gif", "image/jpeg": "jpeg jpg", "image/png": "png", "image/svg+xml": "svg", "image/webp": "webp",
    "image/x-icon": "ico", "text/css": "css", "text/csv": "csv", "text/html": "htm html",
    "text/markdown": "markdown md", "text/plain": "cfg conf env gitattributes gitignore ini log properties txt",
    "text/sql": "sql", "text/typescript": "ts", "text/x-c": "c", "text/x-c++": "c++ cc cpp cxx",
    "text/x-c-header": "h hpp", "text/x-dockerfile": "dockerfile", "text/x-go": "go", "text/x-java": "java",
    "text/x-kotlin": "kt", "text/x-perl": "pl", "text/x-php": "php", "text/x-python": "py", "text/x-ruby": "rb",
    "text/x-rust": "rs", "text/x-scala": "scala", "text/x-shellscript": "bash fish sh zsh", "text/x-swift": "swift",
    "text/yaml": "yaml yml", "video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "video/x-flv": "flv",
    "video/x-ms-wmv": "wmv", "video/x-msvideo": "avi",
}


class MimeTypes:
    """A table of media types by extension, loaded from files when it is first asked."""

    def __init__(self, glob_files: Sequence[str] = GLOB_FILES, type_files: Sequence[str] = TYPE_FILES,
                 registered: Mapping[str, str] = REGISTERED) -> None:
        self._glob_files = glob_files
        self._type_files = type_files
        self._registered = registered

    def by_extension(self, ext: str) -> str:
        """The media type for ``ext`` (with its dot), "" when there is none. Exact case first, then any case."""
        exact, lower = self._tables
        found = exact.get(ext)
        return lower.get(ext.lower(), "") if found is None else found

    @functools.cached_property
    def _tables(self) -> tuple[dict[str, str], dict[str, str]]:
        exact = {f".{ext}": _with_charset(kind) for kind, exts in BUILTIN.items() for ext in exts.split()}
        lower = dict(exact)
        for ext, kind in self._system_entries(exact):
            try:
                completed = _with_charset(kind)
            except MediaTypeError:
                continue
            exact[ext] = completed
            lower[ext.lower()] = completed
        for kind, exts in self._registered.items():
            for ext in exts.split():
                exact[f".{ext}"] = lower[f".{ext}"] = _with_charset(kind)
        return exact, lower

    def _system_entries(self, known: dict[str, str]) -> Iterator[tuple[str, str]]:
        """Entries to add, in order; ``known`` is looked at as it grows."""
        for path in self._glob_files:
            lines = _lines(path)
            if lines is not None:
                yield from ((ext, kind) for ext, kind in _glob_entries(lines) if ext not in known)
                return
        for path in self._type_files:
            yield from _type_entries(_lines(path) or ())


@functools.cache
def system_types() -> MimeTypes:
    """The table of this machine."""
    return MimeTypes()


def _lines(path: str) -> list[str] | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            return [line.removesuffix("\n").removesuffix("\r") for line in file]
    except OSError:
        return None


def _glob_entries(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """``weight:type:*.ext[:…]`` lines; globs that are more than an extension are left out."""
    for line in lines:
        fields = line.split(":")
        if len(fields) < 3 or not fields[0] or fields[0].startswith("#"):
            continue
        glob = fields[2]
        if glob.startswith("*.") and len(glob) > 2 and not set("?*[") & set(glob[1:]):
            yield glob[1:], fields[1]


def _type_entries(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """``type ext ext …`` lines; ``#`` begins a comment."""
    for line in lines:
        fields = line.translate(_BLANKS).split(" ")
        kind, *exts = [field for field in fields if field] or [""]
        if kind.startswith("#"):
            continue
        for ext in exts:
            if ext.startswith("#"):
                break
            yield "." + ext, kind


_BLANKS: Final = {ord(char): " " for char in SPACE}


def _with_charset(kind: str) -> str:
    """``kind``, text types with ``charset=utf-8`` unless they name one. Like Go "" for text with other parameters."""
    parameters = parse_media_type(kind).parameters
    if not kind.startswith("text/") or parameters.get("charset"):
        return kind
    return format_media_type(kind, {**parameters, "charset": "utf-8"})
