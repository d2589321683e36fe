"""Who may call by gRPC, by name; and the calls themselves, over loopback."""

from __future__ import annotations

import gc
import pathlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from cryptography import x509
from hypothesis import given, settings, strategies as st
from twisted.internet import defer
from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.calls import SecureCalls
from seaweedvol.config.tls import GrpcTls, TlsRules, TlsSettings
from seaweedvol.security.refusals import Refusals
from seaweedvol.tls.calls import PROBE_REST_SECONDS, SecureChannels, name_for, server_credentials
from seaweedvol.tls.core import core_variables, suites_for_core
from seaweedvol.tls.credentials import Credentials, GrpcMaterial
from seaweedvol.tls.names import NameGate, is_allowed, names_in
from tests.tls.pki import Authority

CA = Authority()
OTHER = Authority("Another CA")
ANYBODY = GrpcTls("", "", "", "", "")
SOME = GrpcTls("", "", "", "", "", frozenset({"a", "b"}), ".x.org")


class NameTests(SynchronousTestCase):
    """Tests for :func:`is_allowed`."""

    def test_without_rules(self) -> None:
        """Whoever a CA has signed may come in."""
        nobody: tuple[str, ...] = ()
        for names in (nobody, ("a",), ("",)):
            self.assertTrue(is_allowed(ANYBODY, names))

    def test_with_rules(self) -> None:
        """Names of the list, and names that end in the domain."""
        nobody: tuple[str, ...] = ()
        for allowed in (("a",), ("any.x.org",), ("a", "b"), (".x.org",)):
            self.assertTrue(is_allowed(SOME, allowed), allowed)
        for names in (nobody, ("",), ("A",), (" a",), ("x.org",), ("any.x.org.evil",), ("a", "evil"), ("evil", "a")):
            self.assertFalse(is_allowed(SOME, names), names)

    @settings(max_examples=100, deadline=None)
    @given(st.text(max_size=8))
    def test_any_name(self, name: str) -> None:
        """Only what is listed, or ends as it must."""
        self.assertEqual(is_allowed(SOME, (name,)), name in ("a", "b") or name.endswith(".x.org"))

    def test_in_certificate(self) -> None:
        """The names are read from the certificate that was shown."""
        self.assertEqual(names_in(CA.sign("any.x.org").cert), ("any.x.org",))
        self.assertEqual(names_in(CA.sign("").cert), ())


class NameForTests(SynchronousTestCase):
    """Tests for :func:`name_for` and :func:`suites_for_core`."""

    def test_names(self) -> None:
        """The host itself where it can be, else any name there is; a common name only without others."""
        for common, names, expected in (
            ("cn", ("a.org", "127.0.0.1"), "127.0.0.1"), ("cn", ("a.org",), "a.org"), ("cn", ("*.a.org",), "any.a.org"),
            ("a common name", (), "a common name"), ("", (), None),
        ):
            certificate = x509.load_pem_x509_certificate(CA.sign(common, names).cert)
            self.assertEqual(name_for(certificate, "127.0.0.1"), expected)

    def test_suites(self) -> None:
        """grpcio hears of suites, or that nothing before TLS 1.3 will do."""
        self.assertEqual(suites_for_core(TlsRules()), "")
        self.assertEqual(suites_for_core(TlsRules(suites=("A", "B"))), "A:B")
        self.assertIn("PSK", suites_for_core(TlsRules("TLS 1.3", suites=("A",))))

    def test_variables(self) -> None:
        """Without TLS the core is quiet; with it it tells why handshakes fail, and keeps to the rules."""
        self.assertEqual(core_variables(TlsSettings()), {"GRPC_VERBOSITY": "NONE"})
        self.assertEqual(core_variables(TlsSettings(grpc=ANYBODY)), {"GRPC_VERBOSITY": "INFO"})
        found = core_variables(TlsSettings(rules=TlsRules(suites=("A", "B")), master_grpc=ANYBODY))
        self.assertEqual(found["GRPC_SSL_CIPHER_SUITES"], "A:B")


def _answer(request: bytes, context: grpc.ServicerContext) -> bytes:
    return request


def _stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    for _ in range(20):
        yield request
        time.sleep(0.05)


def _take(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    return b"".join(requests)


def _echo(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests


HANDLERS: dict[str, Any] = {
    "Answer": grpc.unary_unary_rpc_method_handler(_answer), "Stream": grpc.unary_stream_rpc_method_handler(_stream),
    "Take": grpc.stream_unary_rpc_method_handler(_take), "Echo": grpc.stream_stream_rpc_method_handler(_echo),
}


class CallsCase(SynchronousTestCase):
    """A server with mTLS on loopback, and channels to it."""

    def setUp(self) -> None:
        self.lines: list[str] = []
        self.refusals = Refusals(self.lines.append)
        self.place = pathlib.Path(self.mktemp()).absolute()
        self.place.mkdir()
        self.ca = CA.save(self.place)
        self.server_files = CA.sign("server", ("some.host",)).save(self.place, "server")
        self.client_files = CA.sign("a").save(self.place, "client")
        self.secured = self.credentials(self.server_files, frozenset({"a"}))
        self.caller = self.credentials(self.client_files)
        self.server = self.serve(self.secured)
        self.channels = SecureChannels(lambda: self.grpc_of(self.caller), [], self.refusals)
        self.addCleanup(self.channels.close)

    def credentials(self, files: tuple[str, str], names: frozenset[str] = frozenset()) -> Credentials:
        """With one certificate for all."""
        return Credentials(TlsSettings(grpc=GrpcTls(*files, self.ca, *files, names)), self.refusals)

    def grpc_of(self, secured: Credentials) -> GrpcMaterial:
        """What is in use."""
        assert secured.in_use.grpc is not None
        return secured.in_use.grpc

    def serve(self, secured: Credentials, port: int = 0) -> grpc.Server:
        """Start the server."""
        pool = ThreadPoolExecutor(8)
        gate = NameGate(lambda: self.grpc_of(secured).settings, self.refusals)
        server = grpc.server(pool, interceptors=[gate], options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", HANDLERS),))
        credentials = server_credentials(lambda: self.grpc_of(secured))
        port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
        server.start()
        self.addCleanup(lambda: server.stop(None).wait(5))
        self.port = port
        return server

    def call(self, channels: SecureChannels | None = None) -> str:
        """A call's outcome."""
        channel: Any = (channels or self.channels).to(f"127.0.0.1:{self.port}")
        try:
            return str(channel.unary_unary("/t.T/Answer")(b"hello", timeout=5).decode())
        except grpc.RpcError as error:
            return str(error.code().name)


class CallsTests(CallsCase):
    """Tests for :class:`SecureChannels` with :class:`NameGate`."""

    def test_host_does_not_matter(self) -> None:
        """A certificate for another host will do, as in Go: the CA has signed it."""
        self.assertEqual(self.call(), "hello")

    def test_for_the_reactor(self) -> None:
        """Only a server that is not known yet is asked in another thread."""
        asked: list[str] = []

        def in_thread(function: Callable[[str], grpc.Channel], target: str) -> defer.Deferred[grpc.Channel]:
            asked.append(target)
            return defer.succeed(function(target))

        calls = SecureCalls(lambda: self.grpc_of(self.caller), self.refusals, in_thread)
        self.addCleanup(calls.close)
        target = f"127.0.0.1:{self.port}"
        first, second = (self.successResultOf(calls.soon(target)) for _ in range(2))
        self.assertIs(first, second)
        self.assertIs(calls.to(target), first)
        self.assertEqual(asked, [target])
        calls.renew()
        self.assertIsNot(self.successResultOf(calls.soon(target)), first)
        own = calls.open(target)
        self.assertIsNot(own, calls.to(target))
        own.close()

    def test_every_kind_of_call(self) -> None:
        """Calls and streams, each way."""
        channel: Any = self.channels.to(f"127.0.0.1:{self.port}")
        self.assertEqual(len(list(channel.unary_stream("/t.T/Stream")(b"x", timeout=9))), 20)
        self.assertEqual(channel.stream_unary("/t.T/Take")(iter([b"a", b"b"]), timeout=5), b"ab")
        self.assertEqual(list(channel.stream_stream("/t.T/Echo")(iter([b"a", b"b"]), timeout=5)), [b"a", b"b"])
        self.assertEqual(channel.unary_unary("/t.T/Answer").future(b"f", timeout=5).result(), b"f")

    def test_wrong_name(self) -> None:
        """Who is not in the list is refused in every kind of call, and the log names it."""
        files = CA.sign("evil").save(self.place, "evil")
        evil = self.credentials(files)
        channels = SecureChannels(lambda: self.grpc_of(evil), [], self.refusals)
        self.addCleanup(channels.close)
        channel: Any = channels.to(f"127.0.0.1:{self.port}")
        calls: list[Any] = [
            lambda: channel.unary_unary("/t.T/Answer")(b"", timeout=5),
            lambda: list(channel.unary_stream("/t.T/Stream")(b"", timeout=5)),
            lambda: channel.stream_unary("/t.T/Take")(iter([b"a"]), timeout=5),
            lambda: list(channel.stream_stream("/t.T/Echo")(iter([b"a"]), timeout=5)),
        ]
        for call in calls:
            error = self.assertRaises(grpc.RpcError, call)
            self.assertEqual(error.code(), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(len(self.lines), 4)
        self.assertIn('common name "evil" is not allowed here', self.lines[0])

    def test_unknown_server(self) -> None:
        """A server with a certificate of another CA is not called, and the log says why."""
        ca = OTHER.save(self.place, "other")
        files = OTHER.sign("a").save(self.place, "elsewhere")
        stranger = Credentials(TlsSettings(grpc=GrpcTls(*files, ca, *files)), self.refusals)
        channels = SecureChannels(lambda: self.grpc_of(stranger), [], self.refusals)
        self.addCleanup(channels.close)
        self.assertEqual(self.call(channels), "UNAVAILABLE")
        self.assertIn('is from an unknown CA, "CN=Test CA"', self.lines[0])

    def test_nobody_there(self) -> None:
        """A server that is not there is tried again, and found when it is."""
        self.server.stop(None).wait(5)
        self.assertEqual(self.call(), "UNAVAILABLE")
        self.serve(self.secured, self.port)
        time.sleep(PROBE_REST_SECONDS)
        self.assertEqual(self.until("hello"), "hello")

    def test_not_tls(self) -> None:
        """What speaks no TLS is not waited for longer than a moment."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            def hang_up() -> None:
                for _ in range(3):
                    listening.accept()[0].close()

            threading.Thread(target=hang_up, daemon=True).start()
            self.port = listening.getsockname()[1]
            self.assertEqual(self.call(), "UNAVAILABLE")

    def until(self, wanted: str) -> str:
        """The outcome of calls, as soon as it is this one, or after a while."""
        found = ""
        for _ in range(50):
            found = self.call()
            if found == wanted:
                break
            time.sleep(0.2)
        return found

    def test_new_certificate_of_the_server(self) -> None:
        """New connections get the new certificate at once, even for another host; a stream of before goes on."""
        channel: Any = self.channels.to(f"127.0.0.1:{self.port}")
        stream = channel.unary_stream("/t.T/Stream")(b"x", timeout=20)
        next(stream)
        CA.sign("server", ("another.host",)).save(self.place, "server")
        self.assertTrue(self.secured.refresh())
        others = SecureChannels(lambda: self.grpc_of(self.caller), [("grpc.use_local_subchannel_pool", 1)],
                                self.refusals)
        self.addCleanup(others.close)
        self.assertEqual(self.call(others), "hello")
        self.assertEqual(len(list(stream)), 19)

    def test_server_comes_back_as_another(self) -> None:
        """When what was expected of a server is no longer so, it is asked again."""
        self.assertEqual(self.call(), "hello")
        self.server.stop(None).wait(5)
        CA.sign("server", ("another.host",)).save(self.place, "server")
        self.secured.refresh()
        self.serve(self.secured, self.port)
        time.sleep(PROBE_REST_SECONDS)
        self.assertEqual(self.until("hello"), "hello")

    def test_new_certificate_of_ours(self) -> None:
        """Calls of before end as they began; new ones show the new certificate."""
        channel: Any = self.channels.to(f"127.0.0.1:{self.port}")
        stream = channel.unary_stream("/t.T/Stream")(b"x", timeout=20)
        next(stream)
        CA.sign("evil").save(self.place, "client")
        self.caller.refresh()
        self.channels.renew()
        del channel
        gc.collect()
        self.assertEqual(self.call(), "UNAUTHENTICATED")
        self.assertEqual(len(list(stream)), 19)

    def test_new_names(self) -> None:
        """Who is let in can change while the server runs."""
        self.assertEqual(self.call(), "hello")
        files = self.server_files
        self.secured.adopt(TlsSettings(grpc=GrpcTls(*files, self.ca, *files, frozenset({"b"}))))
        self.assertEqual(self.call(), "UNAUTHENTICATED")
