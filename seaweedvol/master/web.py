"""The master's HTTP surface on Klein: paths, parameters and statuses of SeaweedFS 4.44's master.

Knows requests and the use cases. What may block (a volume may have to be made first) runs in the master's own threads,
never in those that store files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol
from urllib.parse import quote

import klein
from twisted.internet import defer
from twisted.internet import task as default_cooperator
from twisted.internet.task import Cooperator
from twisted.web.client import FileBodyProducer, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IRequest

from seaweedvol.config.address import ServerAddress
from seaweedvol.master import listing
from seaweedvol.master.allocation import CallFailed
from seaweedvol.master.assign import Assigned, AssignRefused, AssignRequest, WarmingUp
from seaweedvol.master.master import Master
from seaweedvol.master.replies import assign_reply, json_text, lookup_reply, request_id
from seaweedvol.master.members import Wish
from seaweedvol.storage.errors import InvalidId, InvalidSetting
from seaweedvol.storage.ids import parse_uint

VERSION: Final = "seaweedvol, embedded master for one machine"
NOT_FOUND: Final = b"404 page not found\n"
ABOUT: Final = """This is the master inside a volume server: for one machine, without a second one to take over.
A cluster uses SeaweedFS's own masters.

curl http://{address}/dir/assign          a file id, and where to write it
curl http://{address}/dir/lookup?volumeId=1
curl http://{address}/dir/status
curl http://{address}/vol/grow?count=2
"""

Reply = tuple[int, object]


class InThread(Protocol):
    """Runs a blocking function elsewhere."""

    def __call__(self, function: Callable[..., Any], *args: Any) -> defer.Deferred[Any]:
        """The outcome, on the reactor's thread."""
        ...


class MasterPages:
    """The routes.

    :param agent: the HTTP client for ``/submit``, which hands an upload on to a volume server.
    :param scheme: of volume servers' addresses: ``http`` or ``https``.
    :param cooperator: reads such an upload piece by piece; ``None``: the reactor's.
    """

    app = klein.Klein()

    def __init__(self, master: Master, in_thread: InThread, agent: IAgent,
                 cooperator: Cooperator | None = None, scheme: str = "http") -> None:
        self._scheme = scheme
        self._master, self._in_thread, self._agent = master, in_thread, agent
        self._cooperator = cooperator

    # --- file ids ---

    @app.route("/dir/assign")
    def dir_assign(self, request: IRequest) -> Any:
        """A file id."""
        return self._guarded(request, self._assign(request))

    async def _assign(self, request: IRequest) -> Reply:
        try:
            assigned = await self._assigned(self._assign_request(request))
        except WarmingUp as error:
            request.setHeader(b"Retry-After", b"1")
            return 503, {"error": str(error)}
        except (AssignRefused, InvalidSetting) as error:
            return 406, {"error": str(error)}
        self._authorize(request, assigned.file_id, is_write=True)
        return 200, assign_reply(assigned)

    async def _assigned(self, wanted: AssignRequest) -> Assigned:
        found = self._master.assign_now(wanted)
        if found is None:
            found = await self._in_thread(self._master.assign, wanted)
        assert found is not None
        return found

    def _assign_request(self, request: IRequest) -> AssignRequest:
        layout = self._master.layout(*(_value(request, name) for name in ("collection", "replication", "ttl", "disk")))
        return AssignRequest(layout, _wish(request), _number(request, "count") or 1,
                             _number(request, "writableVolumeCount"), _number(request, "dataSize"))

    @app.route("/dir/lookup")
    def dir_lookup(self, request: IRequest) -> Any:
        """Where a volume is."""
        return self._guarded(request, self._lookup(request))

    async def _lookup(self, request: IRequest) -> Reply:
        volume, file_id = _value(request, "volumeId"), _value(request, "fileId")
        if "," in file_id[1:]:
            volume = file_id
        volume = volume.partition(",")[0] or volume
        nodes, error = self._master.find(volume, _value(request, "collection"))
        if nodes and file_id:
            self._authorize(request, file_id, is_write=_value(request, "read") != "yes")
        return 200 if nodes else 404, lookup_reply(volume, nodes, error)

    def _authorize(self, request: IRequest, file_id: str, *, is_write: bool) -> None:
        token = self._master.token(file_id, is_write=is_write)
        if token:
            request.setHeader(b"Authorization", b"BEARER " + token.encode("ascii"))

    @app.route("/submit")
    def submit(self, request: IRequest) -> Any:
        """Assign and upload in one request."""
        return self._guarded(request, self._submit(request))

    async def _submit(self, request: IRequest) -> Reply:
        if request.method != b"POST":
            return 405, {"error": "Only submit via POST!"}
        try:
            assigned = await self._assigned(self._assign_request(request))
        except (AssignRefused, InvalidSetting, WarmingUp) as error:
            return 500, {"error": str(error)}
        headers = Headers()
        for name in (b"Content-Type", b"Content-Encoding", b"Content-Disposition", b"Content-MD5"):
            headers.setRawHeaders(name, request.requestHeaders.getRawHeaders(name, []))
        token = self._master.token(assigned.file_id)
        if token:
            headers.setRawHeaders(b"Authorization", [b"BEARER " + token.encode("ascii")])
        url = f"{self._scheme}://{assigned.nodes[0].url}/{assigned.file_id}"
        try:
            body = FileBodyProducer(request.content, self._cooperator or default_cooperator)
            response = await self._agent.request(b"POST", url.encode("ascii"), headers, body)
            answer = json.loads(await readBody(response))
        except Exception as error:
            return 500, {"error": f"upload to {url}: {error}"}
        if response.code >= 300 or answer.get("error"):
            return 500, {"error": answer.get("error") or f"upload to {url}: status {response.code}"}
        return 201, {"eTag": answer.get("eTag", ""), "fid": assigned.file_id, "fileName": answer.get("name", ""),
                     "fileUrl": f"{assigned.nodes[0].public_url}/{assigned.file_id}", "size": answer.get("size", 0)}

    # --- volumes and collections ---

    @app.route("/vol/grow")
    def vol_grow(self, request: IRequest) -> Any:
        """Make volumes."""
        return self._guarded(request, self._grow(request))

    async def _grow(self, request: IRequest) -> Reply:
        try:
            wanted = self._assign_request(request)
            text = _value(request, "count")
            try:
                count = parse_uint(text, bits=32)
            except InvalidId:
                raise AssignRefused(f"can not parse parameter count {text}") from None
            made = await self._in_thread(self._master.grow, wanted.layout, wanted.wish, count)
        except (AssignRefused, InvalidSetting) as error:
            return 406, {"error": str(error)}
        return 200, {"count": made}

    @app.route("/vol/status")
    def vol_status(self, request: IRequest) -> Any:
        """Every volume."""
        return self._guarded(request, _now(
            200, {"Version": VERSION, "Volumes": listing.volume_status(self._master.topology)}))

    @app.route("/dir/status")
    def dir_status(self, request: IRequest) -> Any:
        """Every server and layout."""
        return self._guarded(request, _now(
            200, {"Topology": listing.directory_status(self._master.topology),
                  "TopologyId": self._master.ledger.topology_id, "Version": VERSION}))

    @app.route("/col/delete")
    def col_delete(self, request: IRequest) -> Any:
        """Remove a collection."""
        return self._guarded(request, self._delete_collection(_value(request, "collection")))

    async def _delete_collection(self, name: str) -> Reply:
        try:
            was_there = await self._in_thread(self._master.delete_collection, name)
        except CallFailed as error:
            return 500, {"error": str(error)}
        return (204, None) if was_there else (400, {"error": f"collection {name} does not exist"})

    @app.route("/collection/info")
    def collection_info(self, request: IRequest) -> Any:
        """The sums of a collection."""
        return self._guarded(request, self._collection_info(_value(request, "collection")))

    async def _collection_info(self, name: str) -> Reply:
        if not name:
            return 400, {"error": "collection is required"}
        if name not in self._master.collections():
            return 400, {"error": f"collection {name} does not exist"}
        sums = listing.totals(self._master.topology, name)
        layouts = sum(layout.collection == name for layout in self._master.topology.layouts())
        return 200, {"Collection": name, "FileCount": sums.files,
                     "TotalSize": sums.volumes * self._master.topology.volume_size_limit,
                     "UsedSize": sums.size, "Version": VERSION, "VolumeCount": layouts}

    # --- the master itself ---

    @app.route("/cluster/status")
    def cluster_status(self, request: IRequest) -> Any:
        """Who leads."""
        return self._answer(request, _now(200, {
            "IsLeader": True, "Leader": self._master.address, "MaxVolumeId": self._master.max_volume_id}))

    @app.route("/healthz")
    @app.route("/readyz")
    @app.route("/cluster/healthz")
    def health(self, request: IRequest) -> bytes:
        """That it lives."""
        request.defaultContentType = None  # type: ignore[attr-defined]
        return _sized(request, b"")

    @app.route("/")
    def about(self, request: IRequest) -> bytes:
        """What this is."""
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        return _sized(request, ABOUT.format(address=ServerAddress(self._master.address).http).encode())

    @app.route("/<file_id>")
    def redirect(self, request: IRequest, file_id: str) -> Any:
        """Send a reader to a server that has the file."""
        return self._answer(request, self._redirect(request, file_id))

    async def _redirect(self, request: IRequest, file_id: str) -> Reply:
        volume = file_id.partition(",")[0] or file_id
        nodes, error = self._master.find(volume, _value(request, "collection"))
        if not nodes:
            return 404, {"error": f"volume id {volume} not found: {error}"}
        query = request.uri.partition(b"?")[2]
        url = f"{self._scheme}://{nodes[0].public_url or nodes[0].url}/{quote(file_id, safe=',._-~')}"
        target = url.encode("ascii") + (b"?" + query if query else b"")
        request.setHeader(b"Location", target)
        request.setHeader(b"Content-Type", b"text/html; charset=utf-8")
        shown = target.decode("latin-1").replace("&", "&amp;").replace('"', "&#34;")
        return 308, f'<a href="{shown}">Permanent Redirect</a>.\n\n'.encode()

    @app.route("/<path:_rest>")
    def nothing(self, request: IRequest, _rest: str) -> bytes:
        """No such page."""
        request.setResponseCode(404)
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        request.setHeader(b"X-Content-Type-Options", b"nosniff")
        return _sized(request, NOT_FOUND)

    # --- answers ---

    def _guarded(self, request: IRequest, reply: Coroutine[Any, Any, Reply]) -> Any:
        """The reply, if the peer may ask."""
        if self._master.guard.allows_peer(getattr(request.getClientAddress(), "host", ""), "an answer of the master"):
            return self._answer(request, reply)
        reply.close()
        request.setResponseCode(401)
        request.defaultContentType = None  # type: ignore[attr-defined]
        return _sized(request, b"")

    def _answer(self, request: IRequest, reply: Coroutine[Any, Any, Reply]) -> Any:
        return defer.Deferred.fromCoroutine(self._written(request, reply))

    async def _written(self, request: IRequest, reply: Coroutine[Any, Any, Reply]) -> bytes:
        status, value = await reply
        request.setResponseCode(status)
        given = request.requestHeaders.getRawHeaders(b"X-Amz-Request-Id", [request_id().encode("ascii")])
        request.setHeader(b"X-Amz-Request-Id", given[0])
        if not isinstance(value, bytes) and value is not None:
            request.setHeader(b"Content-Type", b"application/json")
            request.setHeader(b"X-Content-Type-Options", b"nosniff")
            value = json_text(value, is_pretty=_value(request, "pretty") != "")
        return _sized(request, value or b"")


def _sized(request: IRequest, body: bytes) -> bytes:
    """The body, with its length told beforehand."""
    if request.code != 204:  # type: ignore[attr-defined]
        request.setHeader(b"Content-Length", str(len(body)).encode("ascii"))
    return body


async def _now(status: int, value: object) -> Reply:
    return status, value


def _value(request: IRequest, name: str) -> str:
    """A parameter of query or form, "" when it is not there."""
    values: list[bytes] = (request.args or {}).get(name.encode("ascii"), [b""])
    return values[0].decode("utf-8", "replace")


def _number(request: IRequest, name: str) -> int:
    """A parameter as a number; what is none counts as 0."""
    try:
        return parse_uint(_value(request, name))
    except InvalidId:
        return 0


def _wish(request: IRequest) -> Wish:
    return Wish(_value(request, "dataCenter"), _value(request, "rack"), _value(request, "dataNode"))
