"""One connection to another volume server: dials, sends a request, takes in the answer, is kept for the next one.

Works on a non-blocking socket, without a Twisted transport between: that would hold each request back for a turn of the
reactor. Knows HTTP only through ``peeranswer``. Must not know what is asked, nor what becomes of the answer.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from twisted.python.failure import Failure

from seaweedvol.cluster.peeranswer import BadAnswer, BrokenBody, PeerAnswer, parse_answer
from seaweedvol.cluster.watching import READABLE, WRITABLE, Watching

CONNECT_SECONDS: Final = 10.0
# As Go's client: a peer that takes a request and does not answer is given up.
ANSWER_SECONDS: Final = 30.0

_ANSWER_LENGTH: Final = 8192
_UNDER_WAY: Final = (0, errno.EINPROGRESS)
_SOCKET_TYPE: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC

Address = tuple[int, Any]
"""Address family and socket address."""


class Call:
    """One request. Either of the two methods is called, once, unless it is cancelled before.

    :ivar request: all bytes.
    :ivar connection: while it is under way.
    :ivar is_second: whether it was sent before, on a connection that turned out to be closed.
    """

    __slots__ = ("connection", "is_second", "request")

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.connection: Connection | None = None
        self.is_second = False

    def answered(self, answer: PeerAnswer) -> None:
        """The answer is whole."""
        raise NotImplementedError

    def failed(self, reason: str, in_body: bool) -> None:
        """There is none, for a ``reason`` in Go's words; ``in_body`` when it began in order."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Nobody wants the answer any more: the connection is closed. Any number of times."""
        if self.connection is not None:
            self.connection.close()


class Sockets(Protocol):
    """What connections share."""

    @property
    def open_socket(self) -> Callable[[int, int], Any]:
        """Makes a socket of a family and a type."""

    @property
    def watcher(self) -> Watching:
        """Tells new connections when they are ready."""

    def deadline_in(self, seconds: float) -> float:
        """That long from now; whoever sets it as its deadline will be told when it is over."""


class Owner(Protocol):
    """Whom a connection belongs to."""

    @property
    def url(self) -> str:
        """``host:port`` of the peer."""

    def keep(self, connection: Connection) -> None:
        """It waits for the next call."""

    def gone(self, connection: Connection) -> None:
        """It is closed."""

    def send_again(self, call: Call) -> None:
        """The peer had closed the connection; send the call over a new one."""


class Connection:
    """See the module.

    :ivar deadline: when :meth:`expire` is due.
    """

    __slots__ = ("_addresses", "_call", "_descriptor", "_is_connecting", "_owner", "_received", "_socket", "_sockets",
                 "_unsent", "_watcher", "deadline")

    accepts = False

    def __init__(self, sockets: Sockets, owner: Owner, call: Call) -> None:
        self._sockets, self._owner, self._watcher = sockets, owner, sockets.watcher
        self._call: Call | None = call
        self._socket: Any = None
        self._descriptor = -1
        self._addresses: list[Address] = []
        self._is_connecting = True
        self._unsent: memoryview | None = None
        self._received = b""
        self.deadline = sockets.deadline_in(CONNECT_SECONDS)
        call.connection = self

    # --- connecting ----------------------------------------------------------------------------------------------

    def dial(self, addresses: Sequence[Address]) -> None:
        """Connect to the first of the addresses that takes the connection, then send."""
        # Closed while the addresses were looked up.
        if self._call is not None:
            self._addresses = list(addresses)
            self._dial_next()

    def fail(self, reason: str) -> None:
        """Close; the call under way, if any, has failed."""
        call = self._give_up()
        if call is not None:
            call.failed(reason, False)

    def _dial_next(self) -> None:
        family, address = self._addresses.pop(0)
        try:
            opened = self._sockets.open_socket(family, _SOCKET_TYPE)
        except OSError as error:
            self._refused("socket", error.errno or 0)
            return
        self._socket, self._descriptor = opened, opened.fileno()
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            code = opened.connect_ex(address)
        except OSError as error:
            code = error.errno or errno.EINVAL
        if code in _UNDER_WAY:
            self._watcher.watch(self._descriptor, self, WRITABLE)
        else:
            self._refused("connect", code)

    def _refused(self, step: str, code: int) -> None:
        self._let_go()
        if self._addresses:
            self._dial_next()
        else:
            self.fail(f"dial tcp {self._owner.url}: {step}: {os.strerror(code).lower()}")

    def _connected(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._refused("connect", code)
            return
        self._begin()

    def _begin(self) -> None:
        """The socket is connected."""
        self._is_connecting = False
        self._watcher.change(self._descriptor, READABLE)
        if self._call is not None:
            self.send(self._call)

    # --- requests ------------------------------------------------------------------------------------------------

    def send(self, call: Call) -> None:
        """Send the request of the call; no other may be under way."""
        call.connection, self._call = self, call
        request = call.request
        self.deadline = self._sockets.deadline_in(ANSWER_SECONDS)
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The end of the connection comes as input, after an answer that may be there.
            return
        if sent != len(request):
            self._unsent = memoryview(request)[sent:]
            self._watcher.change(self._descriptor, READABLE | WRITABLE)

    def _send_more(self, unsent: memoryview) -> None:
        try:
            rest = unsent[self._socket.send(unsent):]
        except BlockingIOError:
            return
        except OSError:
            rest = unsent[:0]
        if rest:
            self._unsent = rest
        else:
            self._unsent = None
            self._watcher.change(self._descriptor, READABLE)
        self.deadline = self._sockets.deadline_in(ANSWER_SECONDS)

    # --- answers -------------------------------------------------------------------------------------------------

    def on_event(self, event: int) -> None:
        """The socket takes more, is connected, has input, or is broken."""
        if self._is_connecting:
            # An event may have been meant for the last owner of the number.
            if event != READABLE:
                self._connected()
        elif event == READABLE:
            self._read()
        else:
            if self._unsent is not None and event & WRITABLE:
                self._send_more(self._unsent)
            if event & ~WRITABLE:
                self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_ANSWER_LENGTH)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended(f"read tcp {self._name()}->{self._owner.url}: read: {(error.strerror or str(error)).lower()}")
            return
        call = self._call
        if not data and not self._received or call is None:
            # What comes unasked is no answer.
            self._ended("EOF")
            return
        received = self._received + data if self._received else data
        try:
            answer = parse_answer(received, not data)
        except (BadAnswer, BrokenBody) as error:
            self._give_up()
            call.failed(str(error), isinstance(error, BrokenBody))
            return
        if answer is None:
            self._received = received
            return
        if answer.keeps and self._unsent is None:
            self._call, self._received, call.connection = None, b"", None
            self._owner.keep(self)
        else:
            self._give_up()
        call.answered(answer)

    def _ended(self, reason: str) -> None:
        """Nothing will come any more."""
        call = self._give_up()
        if call is None:
            return
        if self._received or call.is_second:
            call.failed(reason, b"\r\n\r\n" in self._received)
            return
        # Nothing says that the peer has even seen the request, and it may see it twice.
        call.is_second = True
        self._owner.send_again(call)

    # --- the end -------------------------------------------------------------------------------------------------

    def expire(self) -> None:
        """The deadline is over."""
        self.fail(f"dial tcp {self._owner.url}: i/o timeout" if self._is_connecting
                  else "net/http: timeout awaiting response headers")

    def read_ended(self) -> None:
        """See Watched."""
        self._ended("EOF")

    def connectionLost(self, reason: Failure) -> None:
        """See Watched; something went wrong on this side, or all ends."""
        self.fail(reason.getErrorMessage())

    def close(self) -> None:
        """Close; the call under way hears nothing more."""
        self._give_up()

    def _give_up(self) -> Call | None:
        call, self._call = self._call, None
        if call is not None:
            call.connection = None
        self._unsent = None
        self._addresses.clear()
        self._let_go()
        self._owner.gone(self)
        return call

    def _let_go(self) -> None:
        if self._socket is not None:
            self._watcher.forget(self._descriptor)
            self._socket.close()
            self._socket, self._descriptor = None, -1

    def _name(self) -> str:
        """This end, as Go writes it."""
        try:
            return "%s:%d" % self._socket.getsockname()[:2]
        except OSError:
            return "?"
