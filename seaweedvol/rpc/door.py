"""The door of every call: request id, gates, the call itself, exceptions to statuses.

Knows grpcio's context and nothing of what a call does. Works in grpcio's threads; must not touch the reactor.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from seaweedvol.logs.asking import REQUEST_ID as ASKING, on_behalf_of
from seaweedvol.rpc import errors, failures, gates
from seaweedvol.rpc.counting import counted
from seaweedvol.rpc.pouring import pour_for
from seaweedvol.server.errors import Kind, Refused
from seaweedvol.server.server import Life, VolumeServer

REQUEST_ID: Final = "x-amz-request-id"
#: The longest that the end of a call is held back.
HOLD_SECONDS: Final = 2.0

#: What answers one call: takes the server and the request (or the iterator of requests), gives the response (or
#: an iterable of responses). May raise anything.
Work = Callable[[VolumeServer, Any], Any]
UnaryAnswer = Callable[[Any, grpc.ServicerContext], Message]
StreamAnswer = Callable[[Any, grpc.ServicerContext], Iterator[Message | bytes]]
Response = Message | bytes | list[Message] | None


def request_id_of(context: grpc.ServicerContext) -> str:
    """The id the client sent, or a new one (a UUID, as Go makes for gRPC)."""
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID:
            sent = value if isinstance(value, str) else value.decode("latin-1")
            return sent or str(uuid.uuid4())
    return str(uuid.uuid4())


def _refuse(name: str, context: grpc.ServicerContext, request: object, error: Exception) -> NoReturn:
    failures.tell(name, request, error)
    context.abort(*errors.status_of(error))


def _work_missing(name: str) -> Work:
    def refuse(server: VolumeServer, request: object) -> NoReturn:
        raise Refused(f"method {name} not implemented", Kind.UNKNOWN_CALL)
    return refuse


def guarded_unary(name: str, server: VolumeServer, work: Work) -> UnaryAnswer:
    """``work`` behind the door, for a call with one response.

    Work that takes long is a generator of Nones, where it lets itself be ended, and of the response at last.
    """
    life, slow = server.life, server.slow

    def answer(request: Any, context: grpc.ServicerContext) -> Message:
        life.called_at = began = time.monotonic()
        request_id = request_id_of(context)
        if isinstance(request, Message):
            context.set_trailing_metadata(((REQUEST_ID, request_id),))
        with on_behalf_of(request_id):
            try:
                gates.check(name, server, context.peer())
                found = work(server, request)
                response: Message = _last_of(found, context) if isinstance(found, Generator) else found
            except Exception as error:
                _refuse(name, context, request, error)
            finally:
                if slow is not None:
                    slow.note(name, time.monotonic() - began, "gRPC", context.peer(), request_id)
                _may_end(life)
        return response
    return answer


def _may_end(life: Life) -> None:
    if not life.calls_may_end.is_set():
        life.calls_may_end.wait(HOLD_SECONDS)


def _last_of(steps: Generator[Message | None, None, None], context: grpc.ServicerContext) -> Message:
    with contextlib.closing(steps):
        for response in steps:
            if response is not None:
                return response
            if not context.is_active():
                raise Refused("context canceled")
    raise AssertionError("no response")


def guarded_stream(name: str, server: VolumeServer, work: Work) -> StreamAnswer:
    """``work`` behind the door, for a call with a stream of responses.

    A response that is None is not sent; there work lets itself be ended when nobody listens any more. A list of them is
    a burst, which is sent faster than one by one. One that is bytes is serialized already.
    """
    life = server.life

    def answer(request: Any, context: grpc.ServicerContext) -> Iterator[Message | bytes]:
        life.called_at = time.monotonic()
        # Not set back: a generator may be ended in another thread.
        ASKING.set(request_id_of(context))
        try:
            gates.check(name, server, context.peer())
            responses: Iterable[Response] = work(server, request)
            with contextlib.ExitStack() as at_end:
                if isinstance(responses, Generator):
                    # Now, not when it is collected: there may be half a file to be removed.
                    at_end.callback(responses.close)
                yield from _sent(responses, context)
        except Exception as error:
            _refuse(name, context, request, error)
        finally:
            ASKING.set("")
            _may_end(life)
    return answer


def _sent(responses: Iterable[Response], context: grpc.ServicerContext) -> Iterator[Message | bytes]:
    """What is left to be sent by grpcio; ends early when nobody listens."""
    pour = None
    for response in responses:
        if response is None:
            if not context.is_active():
                return
        elif not isinstance(response, list):
            yield response
        elif pour := pour or pour_for(context):
            if not pour.send([message.SerializeToString() for message in response]):
                return
        else:
            yield from response


def method_handler(
        method: MethodDescriptor, server: VolumeServer, work: Work | None) -> grpc.RpcMethodHandler[Any, Any]:
    """grpcio's handler of one call of the service description; ``work`` is None for what is not offered yet."""
    if work is None:
        work = _work_missing(method.name)
    guarded = guarded_stream if method.server_streaming else guarded_unary
    constructor = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[method.client_streaming, method.server_streaming]
    handler: grpc.RpcMethodHandler[Any, Any] = constructor(
        guarded(method.name, server, work),
        request_deserializer=GetMessageClass(method.input_type).FromString,
        response_serializer=_serialized,
    )
    return handler


def _serialized(response: Message | bytes) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()


def service_handler(
        service: ServiceDescriptor, server: VolumeServer, calls: Mapping[str, Work]) -> grpc.GenericRpcHandler:
    """Every call of ``service``, answered by ``calls``; those without an entry are refused as not implemented."""
    return grpc.method_handlers_generic_handler(service.full_name, {
        method.name: method_handler(method, server, _counted(method.name, calls)) for method in service.methods
    })


def _counted(name: str, calls: Mapping[str, Work]) -> Work | None:
    work = calls.get(name)
    return None if work is None else counted(name, work)
