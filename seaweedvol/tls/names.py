"""Who may call by gRPC: the common name in a client's certificate, as SeaweedFS ``security/tls.go`` judges it.

grpcio has verified the certificate by then; unlike Go it cannot ask us within the handshake, so each call is judged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

import grpc
from cryptography import x509

from seaweedvol.config.tls import GrpcTls
from seaweedvol.security.refusals import Refusals
from seaweedvol.storage.ids import go_quote
from seaweedvol.tls.certificates import common_names

_CERTIFICATE: Final = "x509_pem_cert"
KIND: Final = "gRPC"


def is_allowed(settings: GrpcTls, names: tuple[str, ...]) -> bool:
    """Whether a certificate with these common names lets its owner in.

    Go looks at the last of several only; here all must be allowed. One without a name is nobody's.
    """
    if not settings.allowed_names and not settings.allowed_domain:
        return True
    return bool(names) and all(
        name in settings.allowed_names or bool(settings.allowed_domain) and name.endswith(settings.allowed_domain)
        for name in names)


@functools.lru_cache(1024)
def names_in(pem: bytes) -> tuple[str, ...]:
    """The common names of a certificate; clients show the same one for each call."""
    return common_names(x509.load_pem_x509_certificate(pem))


class NameGate(grpc.ServerInterceptor):
    """Stands before every call of a server.

    :param settings: what is in force now.
    """

    def __init__(self, settings: Callable[[], GrpcTls], refusals: Refusals) -> None:
        self._settings, self._refusals = settings, refusals

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """See grpc.ServerInterceptor."""
        found = continuation(handler_call_details)
        if found is None:
            return None
        check = self.check
        if found.response_streaming:
            stream = found.stream_stream or found.unary_stream

            def answer_all(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                check(context)
                yield from stream(request, context)

            answers: Any = answer_all
        else:
            single = found.stream_unary or found.unary_unary

            def answer(request: Any, context: grpc.ServicerContext) -> Any:
                check(context)
                return single(request, context)

            answers = answer
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler, (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler, (True, True): grpc.stream_stream_rpc_method_handler,
        }[found.request_streaming, found.response_streaming]
        return make(answers, found.request_deserializer, found.response_serializer)

    def check(self, context: grpc.ServicerContext) -> None:
        """Let a call through, or end it."""
        settings = self._settings()
        if not settings.allowed_names and not settings.allowed_domain:
            return
        found = context.auth_context().get(_CERTIFICATE)
        try:
            names = names_in(bytes(found[0])) if found else ()
        except ValueError:
            names = ()
        if not is_allowed(settings, names):
            self._refuse(context, ", ".join(names))

    def _refuse(self, context: grpc.ServicerContext, name: str) -> NoReturn:
        self._refusals.tell(KIND, f"{context.peer()} is refused: common name {go_quote(name)} is not allowed here")
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"invalid subject client common name: {name}")
