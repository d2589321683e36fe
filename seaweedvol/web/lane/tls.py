"""TLS between a connection of the lane and the protocol that speaks HTTP on it.

To the transport it is the protocol, to the protocol the transport. What the protocol writes is encrypted at once, so
waiting, pausing and asking producers is the transport's business as before. Knows pyOpenSSL; must not know HTTP, but
for the one answer to those who speak it without TLS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IProtocolFactory, ITransport
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from seaweedvol.security.refusals import Refusals
from seaweedvol.tls.contexts import server_connection, why_failed
from seaweedvol.web.lane.outgoing import NOTHING, Outgoing

_LENGTH: Final = 64 << 10
_KIND: Final = "HTTPS"
#: As Go's server answers who speaks plain HTTP.
_PLAIN_ANSWER: Final = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_PLAIN_WORDS: Final = "it speaks plain HTTP"


@implementer(ITransport, IHalfCloseableProtocol)
class TlsSide(Protocol):
    """One connection.

    :param inner: the protocol that is told what comes out; may close its half, as :class:`IHalfCloseableProtocol`.
    :ivar is_clear: as of the lane's transports: whether what is written leaves at once.
    """

    def __init__(self, inner: Any, context: SSL.Context, refusals: Refusals) -> None:
        self._inner = inner
        self._tls = server_connection(context)
        self._refusals = refusals
        self._wire: Any = None
        self._is_shaken = False
        self._is_input_over = False
        self._is_closed = False

    # --- the transport calls these -------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """A client has connected; the protocol's clock for silent clients runs from here."""
        self._wire = self.transport
        self._inner.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        """Something has come."""
        if self._is_closed and not self._is_shaken:
            return
        self._tls.bio_write(data)
        if not self._is_shaken and not self._shake():
            return
        try:
            while not self._is_input_over:
                received = self._tls.recv(_LENGTH)
                self._inner.dataReceived(received)
        except SSL.WantReadError:
            self._flush()
        except SSL.ZeroReturnError:
            # In order: the client sends nothing more, but may still read.
            self._end_input()
        except SSL.Error as error:
            self._refuse(error)

    def readConnectionLost(self) -> None:
        """The client has closed its half without saying so within TLS: nobody knows whether that was all."""
        if not self._is_input_over:
            self._wire.abortConnection()

    def writeConnectionLost(self) -> None:
        """Our half is closed."""

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:
        """It is over."""
        self._is_closed = self._is_input_over = True
        self._inner.connectionLost(reason)

    # --- the protocol calls these --------------------------------------------------------------------------------

    @property
    def is_clear(self) -> bool:
        """See the class."""
        return bool(getattr(self._wire, "is_clear", True)) and not self._is_closed

    @property
    def sends_files(self) -> bool:
        """Whether :meth:`write_from` takes bytes that send themselves: into the socket they would go as they are."""
        return False

    def write(self, data: bytes) -> None:
        """Send."""
        if self._is_closed or not self._is_shaken:
            return
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.send(rest[:_LENGTH]):]
        except SSL.Error as error:
            self._refuse(error)
            return
        # Not before all of it is encrypted: the transport may ask for the next bytes within.
        self._flush()

    def writeSequence(self, iovec: Any) -> None:
        """Send the pieces."""
        self.write(b"".join(iovec))

    def write_from(self, outgoing: Outgoing, done: Callable[[Exception | None], None]) -> None:
        """Tell when all that was written has left; nothing else can be asked for."""
        assert outgoing is NOTHING, "bytes would leave without TLS"
        self._wire.write_from(outgoing, done)

    def loseConnection(self) -> None:
        """Close, when all has been sent. As in Go, the other side's goodbye is not waited for."""
        self._say_goodbye()
        self._wire.loseConnection()

    def loseWriteConnection(self) -> None:
        """Say that nothing more will come; reading goes on."""
        self._say_goodbye()

    def abortConnection(self) -> None:
        """Break off."""
        self._is_closed = True
        self._wire.abortConnection()

    def getPeer(self) -> Any:
        """The other end."""
        return self._wire.getPeer()

    def getHost(self) -> Any:
        """This end."""
        return self._wire.getHost()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """See ITCPTransport."""
        self._wire.setTcpNoDelay(enabled)

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """See ITCPTransport."""
        self._wire.setTcpKeepAlive(enabled)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Ask ``producer`` for more when the socket takes it."""
        self._wire.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Ask no more."""
        self._wire.unregisterProducer()

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._wire.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self._wire.resumeProducing()

    def stopProducing(self) -> None:
        """See IProducer."""
        self.loseConnection()

    def read_now(self) -> None:
        """Take in what has come already."""
        look: Callable[[], None] | None = getattr(self._wire, "read_now", None)
        if look is not None:
            look()

    # --- TLS -----------------------------------------------------------------------------------------------------

    def _shake(self) -> bool:
        """Go on with the handshake; whether it is done."""
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        except SSL.Error as error:
            self._refuse(error)
            return False
        self._is_shaken = True
        self._flush()
        return True

    def _refuse(self, error: Exception) -> None:
        """The connection cannot go on; the client is told as far as TLS has words for it."""
        if self._is_closed:
            self._wire.loseConnection()
            return
        reason = why_failed(self._tls, error)
        peer = self._wire.getPeer()
        self._refusals.tell(_KIND, f"{getattr(peer, 'host', '?')} is refused: {reason}")
        self._is_closed = self._is_input_over = True
        self._flush()
        if reason == _PLAIN_WORDS:
            self._wire.write(_PLAIN_ANSWER)
        self._wire.loseConnection()

    def _say_goodbye(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._is_shaken:
            try:
                self._tls.shutdown()
            except SSL.Error:
                # It is broken already.
                pass
            self._flush()

    def _end_input(self) -> None:
        if not self._is_input_over:
            self._is_input_over = True
            self._inner.readConnectionLost()

    def _flush(self) -> None:
        """Send what TLS has made."""
        pieces = []
        try:
            while True:
                pieces.append(self._tls.bio_read(_LENGTH))
        except SSL.WantReadError:
            if pieces:
                self._wire.write(b"".join(pieces))


class TlsFactory(Factory):
    """Puts TLS before the protocols of another factory.

    :param context: what new connections are made with, now.
    """

    noisy = False

    def __init__(self, inner: IProtocolFactory, context: Callable[[], SSL.Context], refusals: Refusals) -> None:
        self._made_by: Any = inner
        self._context, self._refusals = context, refusals

    def buildProtocol(self, addr: IAddress | None) -> TlsSide | None:
        """A connection has come in."""
        inner = self._made_by.buildProtocol(addr)
        return None if inner is None else TlsSide(inner, self._context(), self._refusals)

    def doStart(self) -> None:
        """A port is opened."""
        self._made_by.doStart()

    def doStop(self) -> None:
        """A port is closed."""
        self._made_by.doStop()
