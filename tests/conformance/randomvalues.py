"""What random requests are made of: values that clients send, and odd ones near them."""

from __future__ import annotations

from tests.conformance.samples import STORED_AT

EXTENSIONS = (
    "", ".txt", ".html", ".png", ".jpg", ".JPG", ".tar.gz", ".gz", ".css", ".js", ".json", ".pdf", ".svg", ".bin",
    ".xyz",
    ".", ".webp", ".mp4", ".c", ".log", ".csv", ".xml", ".md", ".go", ".zip", ".woff2", ".gif", ".ico", ".wasm")
STEMS = (
    "file", "a b", "naïve", "日本", ".", "", "UPPER", "x" * 60, "x" * 251, "dir/sub", "..", "C:\\dir\\f",
    "semi;colon",
    "quo\"te", "percent%41", "tab\tname")
STAMPED = (
    "ts=1700000000", "ts=1700000000", "ts=1600000000")
READ_PATHS = (
    "/{fid}{ext}", "/{v}/{k}", "/{v}/{k}{ext}", "/{v}/{k}/{name}", "/{v}/{k}/file{ext}", "/{upper}", "/{fid}_0",
    "/{fid}_1",
    "/{v},{stem}00000000", "/{v},{k}/", "/x/{fid}", "/{v}%2C{k}", "//{fid}", "/./{fid}", "/{fid}/{name}", "/9{fid}",
    "/{v},{k}ff", "/{v},0{k}", "/{v}", "/{v},", "/,{k}", "/{fid}%20", "/{fid}?", "/{fid}#x", "/{fid},{ext}",
    "/{fid};{ext}",
    "/{v}/{k}_1", "/{v}/{k}_0{ext}", "/{fid}.{ext}", "/{fid}%2e{ext}", "/{v}/{k}/{name}/", "/{fid}_", "/+{fid}",
    "/ {fid}")
WRITE_PATHS = (
    "/{fid}{ext}", "/{v}/{k}", "/{v}/{k}/n{ext}", "/{upper}", "/{fid}_0", "/{fid}_1", "/{fid}_x",
    "/{v},{stem}0a0b0c0e",
    "/{v}%2C{k}", "//{fid}", "/{v},", "/{v}", "/,{k}", "/x,{k}", "/{v},{k}/", "/{fid}_99999999999999999999",
    "/0{fid}",
    "/x/{fid}", "/{fid}%2e{ext}", "/{fid}_-1", "/{fid}_+1")
READ_PARAMETERS = (
    "dl=true", "dl=1", "dl=false", "dl=x", "dl=", "readDeleted=true", "readDeleted=1", "cm=false", "cm=0", "pretty=y",
    "response-content-type=text/plain", "response-content-type=", "response-cache-control=no-store",
    "Response-Expires=x",
    "response-content-disposition=attachment", "response-content-disposition=", "response-content-encoding=gzip",
    "response-content-encoding=identity", "response-content-language=d%C3%A9",
    "response-content-type=multipart/mixed",
    "response-content-length=3", "width=0", "height=-1", "mode=fit", "width=x", "crop_x1=3", "proxied=true", "ts=1")
WRITE_PARAMETERS = (
    *STAMPED, *STAMPED, *STAMPED, *STAMPED, *STAMPED, *STAMPED, "ttl=3m", "ttl=1h", "ttl=5y",
    "ttl=0", "ttl=x",
    "ttl=256d", "cm=true", "cm=1", "cm=T", "cm=0", "cm=x", "fsync=true", "pretty=y", "pretty=",
    "type=replicate", "collection=x", "jwt=x", "dataCenter=x", "ts=1e3", "ts=%31700000000", "ts=-5",
    "response-content-type=a/b", "dl=true", "count=2")
DELETE_PARAMETERS = (
    "ts=1700000000", "ts=x", "ts=-1", "ts=99999999999999", "type=replicate", "pretty=y",
    "cm=false", "x=y",
    "collection=x")
ODD_PARAMETERS = (
    "%zz=1", "a=%", "a;b", "x=%00", "=", "&", "+=+", "%74s=5", "ts=5;ts=6",
    "é".encode().decode("latin-1"), "?",
    "a=b=c", "TS=5", "ts", "x[]=1", "q=\"<>\"", "pretty=%20")
RANGES = (
    "bytes=0-4", "bytes=0-0", "bytes=5-", "bytes=-5", "bytes=-0", "bytes=-99999", "bytes=0-99999", "bytes=3-2",
    "bytes=a-b",
    "bytes=", "bytes=0-1,4-5", "bytes=0-1, 4-5", "bytes=0-9,5-14", "bytes=0-,0-", "bytes=99999-", "items=0-1",
    "bytes=1",
    "bytes=1-2,", "bytes=,", "bytes=-1,0-0", "bytes=2-3,99999-", "bytes= 1 - 3 ", "bytes=9223372036854775807-",
    "bytes=1-9223372036854775808", "bytes=0-0,1-1,2-2,3-3,4-4", "BYTES=0-1", "", "bytes=--1", "bytes=+1-+2",
    "bytes=0x1-2")
TIMES = (
    STORED_AT, "Tue, 14 Nov 2023 22:13:19 GMT", "Mon, 14 Sep 2020 00:00:00 GMT",
    "Fri, 01 Jan 2038 00:00:00 GMT", "x", "",
    "Tue, 14 Nov 2023 22:13:20 UTC", "tue, 14 nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 GMT;x", "0",
    "Tue,  14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20.5 GMT", "Fri, 14 Nov 2023 22:13:20 GMT")
TAGS = (
    "*", '"00000000"', "", 'W/"0d4a1185"', '"0d4a1185"', "0d4a1185", '"4ed9de7a"', '"0d4a1185", "x"')
ENCODINGS = (
    "gzip", "gzip, deflate, br", "identity", "*", "deflate", "gzip;q=0", "GZIP", "", "x-gzip", "br",
    "zstd, gzip")
READ_HEADERS = (
    ("Range", RANGES, 0.25), ("If-Modified-Since", TIMES, 0.12), ("If-None-Match", TAGS, 0.12),
    ("Accept-Encoding", ENCODINGS, 0.35), ("Origin", ("http://a", "", "null"), 0.1), ("If-Range", TAGS + TIMES, 0.05),
    ("If-Match", TAGS, 0.03), ("If-Unmodified-Since", TIMES, 0.03), ("Accept", ("*/*", "text/html"), 0.1),
    ("Cookie", ("jwt=x", "AT=x", "a=b; c=d", ""), 0.05), ("range", RANGES, 0.03))
UPLOAD_TYPES = (
    "text/plain", "application/octet-stream", "image/png", "image/jpeg", "text/html; charset=x", "garbage", "",
    "application/json", "x" * 300, "application/x-gzip", "text/css", "video/mp4", "a/b;c=d",
    "multipart/mixed; boundary=x", "caf\xe9/x")
PART_TYPES = (
    "text/plain", "application/octet-stream", "image/png", "text/html; charset=x", "garbage", "", "application/json",
    "x" * 300, "caf\xe9/x", " text/css ")
UPLOAD_HEADERS = (
    ("Content-Type", UPLOAD_TYPES, 0.5),
    ("Content-Encoding", ("gzip", "identity", "GZIP", "zstd", "br", "", "gzip, gzip"), 0.06),
    ("Seaweed-Color", ("blue", "", "<&>\"\\", "caf\xe9", "x" * 500, "a\tb"), 0.08),
    ("seaweed-shape", ("round",), 0.05), ("Seaweed-Content-Type", ("a/b",), 0.03), ("Seaweed-ETag", ("own",), 0.02),
    ("Seaweed-Cache-Control", ("no-store",), 0.03), ("Seaweed-", ("x",), 0.02),
    ("Seaweed-Content-Length", ("3",), 0.01), ("Seaweed-Content-Disposition", ("inline",), 0.02),
    ("Seaweed-Content-Encoding", ("br",), 0.02), ("Seaweed-Last-Modified", ("never",), 0.02),
    ("Seaweed-Server", ("own",), 0.01), ("Seaweed-Date", ("own",), 0.01), ("Origin", ("http://a",), 0.05),
    ("Expect", ("100-continue", "100-Continue", "other"), 0.03))
GENERAL = (
    ("X-Amz-Request-Id", "mine"), ("X-Amz-Request-Id", "x" * 200), ("x-amz-request-id", ""),
    ("Connection", "keep-alive"), ("Connection", "close"), ("connection", "Upgrade"), ("Connection", "x, close"),
    ("Origin", "http://a"), ("Authorization", "Bearer x"), ("User-Agent", "x"), ("X-Forwarded-For", "1.2.3.4"),
    ("Te", "trailers"), ("Host", "other"), ("Upgrade", "h2c"), ("Referer", "x"), ("Cache-Control", "no-cache"),
    ("Trailer", "X-T"), ("Keep-Alive", "timeout=5"), ("Accept-Encoding", "gzip"), ("Transfer-Encoding", "identity"),
    ("X-High", "\xff\xfe"), ("Range", "bytes=0-1"))
FORM_TYPES = (
    "multipart/form-data; boundary=\"{}\"", "multipart/form-data;boundary={};charset=utf-8",
    "multipart/form-data",
    "Multipart/Form-Data; Boundary={}", "multipart/form-data; boundary={}; boundary=x",
    "form-data; boundary={}",
    "multipart/mixed; boundary={}", "multipart/form-data; boundary={}, x",
    "multipart/form-data; x; boundary={}",
    "multipart/x-form-data; boundary={}", "application/form-data",
    "multipart/form-data; boundary*=utf-8''{}")
FIELDS = (
    "file", "", "note", "a b", "naïve", "x" * 100)
FILE_DISPOSITIONS = (
    'form-data; name="{name}"; filename="{file}"', 'form-data; name="{name}"; filename="{file}"',
    'form-data; name="{name}"; filename="{file}"', 'form-data; name="{name}"; filename="{file}"',
    'form-data; filename="{file}"', 'attachment; filename="{file}"', 'form-data; name="{name}"; filename={file}',
    "form-data; name=\"{name}\"; filename*=UTF-8''{quoted}", 'form-data; name="{name}"; filename="{file}',
    "form-data; name=\"{name}\"; filename*=utf-8'en'{quoted}; filename=\"plain.txt\"",
    'FORM-DATA; NAME="x"; FILENAME="{file}"',
    'form-data; filename="{file}"; filename="two.txt"', "form-data; filename*0=\"a\"; filename*1=\"{quoted}\"",
    'filename="{file}"',
    'form-data; filename="{file}";', 'form-data;filename="{file}"', 'form-data; ; filename="{file}"',
    "form-data; filename='{file}'",
    "form-data; filename*=iso-8859-1''{quoted}", "form-data; filename*=''{quoted}", "form-data; filename*=UTF-8''%zz")
DISPOSITIONS = (
    'inline; filename="{}"', 'attachment; filename="{}"', 'form-data; name="{}"', "name={}", 'filename="{}"',
    "inline",
    "attachment; filename={}", "inline; filename*=UTF-8''{}", 'x; name="{}"; filename="b.txt"',
    'attachment;filename="{}"',
    'inline; name="{}', "attachmentname=x", "inline; filename=", "Inline; filename=x.txt", "name=; filename=y.css")
PART_HEADERS = (
    ("Content-Type", PART_TYPES, 0.4),
    ("Content-Encoding", ("gzip", "GZIP", "identity", "br"), 0.04),
    ("Content-Transfer-Encoding", ("quoted-printable", "base64", "8bit", "QUOTED-PRINTABLE"), 0.04),
    ("X-Other", ("x", ""), 0.05), ("Seaweed-Part", ("x",), 0.03), ("content-type", ("text/css",), 0.03))
DAMAGE = (
    b"", b"\0", b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b";", b"\"", b"\xff", b"%", b"/", b"?", b",",
    b"--", b"=", b"\x7f")
