"""The heartbeat as a service: carries out what :mod:`seaweedvol.cluster.heartbeat_machine` decides.

Knows Twisted, threads and the stream; decides nothing. The machine lives in the reactor's thread. One stream has two
threads of its own: gRPC's, which drains the outbox, and a reader's; both come back only through ``callFromThread``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import grpc
from twisted.application.service import Service
from twisted.internet import defer, task
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from seaweedvol.cluster import heartbeat_machine as machine
from seaweedvol.cluster.calls import FromThread, go_text, master_calls, open_channel
from seaweedvol.cluster.heartbeat_machine import Beat
from seaweedvol.cluster.outbox import Item, Outbox
from seaweedvol.cluster.reporting import Sender, Telling, announcement, goodbye, shard_beat
from seaweedvol.config.address import ServerAddress
from seaweedvol.pb.master_pb2 import Heartbeat, HeartbeatResponse
from seaweedvol.server.server import Life
from seaweedvol.store.events import Event as StoreEvent
from seaweedvol.store.events import ShardsAdded, StoreEvents, VolumeAdded
from seaweedvol.store.report import StoreReport
from seaweedvol.store.shardreport import ShardReport

GOODBYE_SECONDS: Final = 2.0


class IReporter(Protocol):
    """What the heartbeat needs of the store.

    :ivar volume_size_limit: bytes; set as the master says it.
    :ivar is_preallocating: set as the master says it.
    """

    volume_size_limit: int
    is_preallocating: bool

    def report(self) -> StoreReport:
        """All that the master wants to know of volumes. May block; called from a stream's thread."""
        ...

    def shard_reports(self) -> Sequence[ShardReport]:
        """All that it wants to know of shards. From any thread."""
        ...


class Clock(FromThread, Protocol):
    """Time and the way back from threads: a reactor."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: object, **kw: object) -> IDelayedCall:
        """Run ``callable`` after ``delay`` seconds."""
        ...

    def seconds(self) -> float:
        """The time."""
        ...


class IStream(Protocol):
    """An open stream to a master."""

    def answers(self) -> Iterator[HeartbeatResponse]:
        """*Blocking.* What the master says; ends or raises when the stream does."""
        ...

    def hang_up(self) -> None:
        """End the stream now. Any thread, more than once."""
        ...


class GrpcStream:
    """A stream over a connection of its own.

    :param open_one: opens it; may block, and so is called by who reads.
    """

    def __init__(self, address: str, beats: Iterator[Heartbeat],
                 open_one: Callable[[str], grpc.Channel] = open_channel) -> None:
        self._target, self._beats, self._open = ServerAddress(address).grpc, beats, open_one
        self._lock = threading.Lock()
        self._is_over = False
        self._channel: grpc.Channel | None = None
        self._call: Any = None

    def answers(self) -> Iterator[HeartbeatResponse]:
        """See :class:`IStream`."""
        channel = self._open(self._target)
        with self._lock:
            if self._is_over:
                channel.close()
                return
            self._channel, self._call = channel, master_calls(channel).SendHeartbeat(self._beats)
        yield from self._call

    def hang_up(self) -> None:
        """See :class:`IStream`."""
        with self._lock:
            self._is_over = True
            channel, call = self._channel, self._call
        if channel is not None:
            call.cancel()
            channel.close()


def start_thread(target: Callable[[], None]) -> None:
    """Run ``target`` in a thread that does not keep the process alive."""
    threading.Thread(target=target, name="heartbeat", daemon=True).start()


class HeartbeatService(Service):
    """Tells the masters what is here, for as long as it runs.

    :param masters: at least one address, ``host:port`` or ``host:port.grpcPort``.
    :param sender: how this server names itself.
    :param store: what is reported.
    :param events: what is announced at once.
    :param life: its ``first_beat_sent`` is set when a master has taken the first beat.
    :param exit_process: called with a status and a reason when this server must not run on.
    :param when_loaded: fires when the volumes are loaded; nothing is reported before. ``None``: they are.
    :param dial: opens a stream; raising nothing, whatever the network does.
    :param spawn: runs a function in a thread of its own.
    :param note_loss: told of each master with whom talking has failed.
    :param now: seconds since 1970.
    """

    name = "heartbeat"
    _log = Logger()

    def __init__(self, *, masters: Sequence[str], sender: Sender, store: IReporter, events: StoreEvents, life: Life,
                 clock: Clock, exit_process: Callable[[int, str], None],
                 when_loaded: defer.Deferred[object] | None = None,
                 dial: Callable[[str, Iterator[Heartbeat]], IStream] = GrpcStream,
                 spawn: Callable[[Callable[[], None]], None] = start_thread,
                 note_loss: Callable[[str], None] = machine.unnoted,
                 now: Callable[[], float] = time.time) -> None:
        self._machine = machine.HeartbeatMachine(masters, note_loss)
        self._sender, self._store, self._events, self._life = sender, store, events, life
        self._clock, self._exit_process, self._dial_master, self._spawn = clock, exit_process, dial, spawn
        self._when_loaded = when_loaded or defer.succeed(None)
        self._telling = Telling(sender)
        self._now = now
        self._outbox: Outbox[Heartbeat] | None = None
        self._stream: IStream | None = None
        self._pulse = task.LoopingCall(self._feed, machine.Pulsed())
        self._pulse.clock = clock  # type: ignore[assignment]  # callLater and seconds are all it asks for
        self._rest: IDelayedCall | None = None
        self._ended: defer.Deferred[None] = defer.Deferred()

    # --- the service ---

    @property
    def current_master(self) -> str:
        """The master talked to, or last talked to. Any thread."""
        return self._machine.current

    def startService(self) -> None:
        """Begin to heartbeat as soon as the volumes are loaded."""
        super().startService()
        self._events.subscribe(self._store_changed)
        self._when_loaded.addCallback(lambda _: self._feed(machine.Started()))

    def stopService(self) -> defer.Deferred[None]:
        """Leave; fires when the master knows, or when that took too long."""
        super().stopService()
        self._feed(machine.Left())
        if not self._ended.called:
            overdue = self._clock.callLater(GOODBYE_SECONDS, self._feed, machine.Lost("no answer to the last beat"))
            self._ended.addCallback(lambda _: overdue.cancel() if overdue.active() else None)
        return self._ended

    def leave(self) -> None:
        """Send the last beat and no more. Any thread; a second call does nothing."""
        self._clock.callFromThread(self._feed, machine.Left())

    # --- events ---

    def _store_changed(self, event: StoreEvent) -> None:
        """Comes from any thread."""
        known = machine.Appeared if isinstance(event, VolumeAdded | ShardsAdded) else machine.Vanished
        self._clock.callFromThread(self._feed, known(event.report))

    def _feed(self, event: machine.Event) -> None:
        for action in self._machine.feed(event):
            _PERFORM[type(action)](self, action)
        if self._machine.state is machine.State.STOPPED and not self._ended.called:
            self._ended.callback(None)

    def _feed_from(self, stream: IStream, event: machine.Event) -> None:
        """Take an event of a stream's thread, unless that stream is history."""
        if stream is self._stream:
            self._feed(event)

    def _listen(self, stream: IStream) -> None:
        """The reader's thread."""
        reason = "EOF"
        try:
            for answer in stream.answers():
                self._clock.callFromThread(self._feed_from, stream, answered(answer))
        except Exception as error:
            reason = go_text(error)
        self._clock.callFromThread(self._feed_from, stream, machine.Lost(reason))

    def _compose(self, telling: Telling, item: Item) -> Heartbeat:
        """The stream's thread."""
        try:
            if item is Beat.VOLUMES:
                self._life.beaten_at = self._now()
                return telling.volume_beat(self._store.report())
            if item is Beat.SHARDS:
                return shard_beat(self._store.shard_reports())
            if item is Beat.GOODBYE:
                return goodbye(self._sender)
            assert not isinstance(item, Beat)
            return announcement(self._sender, item.reports, item.is_deletion)
        except Exception:
            self._log.failure("cannot compose a heartbeat")
            raise

    # --- actions ---

    def _dial(self, action: machine.Dial) -> None:
        # A new master knows nothing of us, so it gets a memory of its own.
        telling = self._telling = Telling(self._sender)
        outbox = self._outbox = Outbox(lambda item: self._compose(telling, item))
        stream = self._stream = self._dial_master(action.master, outbox)
        self._spawn(lambda: self._listen(stream))
        self._pulse.start(machine.PULSE_SECONDS, now=False)

    def _send(self, action: machine.Send) -> None:
        if self._outbox is not None:
            self._outbox.put(action.beat)

    def _announce(self, action: machine.Announce) -> None:
        if self._outbox is not None:
            self._outbox.announce(action.report, action.is_deletion)

    def _hang_up(self, _action: machine.Hangup) -> None:
        self._stop_pulse()
        if self._outbox is not None:
            self._outbox.drop()
        stream, self._stream, self._outbox = self._stream, None, None
        if stream is not None:
            stream.hang_up()

    def _finish(self, _action: machine.Finish) -> None:
        self._stop_pulse()
        if self._outbox is not None:
            self._outbox.finish()

    def _stop_pulse(self) -> None:
        if self._pulse.running:
            self._pulse.stop()
        if self._rest is not None and self._rest.active():
            self._rest.cancel()

    def _pause(self, action: machine.Pause) -> None:
        self._rest = self._clock.callLater(action.seconds, self._feed, machine.Rested())

    def _adopt(self, action: machine.Adopt) -> None:
        if action.volume_size_limit:
            self._store.volume_size_limit = action.volume_size_limit
        self._store.is_preallocating = action.preallocate

    def _confirm(self, _action: machine.Confirm) -> None:
        self._life.first_beat_sent = True

    def _exit(self, action: machine.Exit) -> None:
        self._exit_process(action.status, action.reason)

    def _tell(self, action: machine.Tell) -> None:
        self._log.info("{text}", text=action.text)


def answered(answer: HeartbeatResponse) -> machine.Answered:
    """A master's message as the machine reads it."""
    return machine.Answered(
        volume_size_limit=answer.volume_size_limit, preallocate=answer.preallocate, leader=answer.leader,
        duplicated_uuids=tuple(answer.duplicated_uuids), is_digest_supported=answer.volume_digest_supported,
        is_full_list_wanted=answer.resend_full_volume_list)


# Each takes its own kind of action, which the type of a table cannot say.
_PERFORM: Final[dict[type, Callable[[HeartbeatService, Any], None]]] = {
    machine.Dial: HeartbeatService._dial,
    machine.Send: HeartbeatService._send,
    machine.Announce: HeartbeatService._announce,
    machine.AcceptDeltas: lambda service, _: service._telling.accept_deltas(),
    machine.RequireFullList: lambda service, _: service._telling.require_full_list(),
    machine.Adopt: HeartbeatService._adopt,
    machine.Confirm: HeartbeatService._confirm,
    machine.Hangup: HeartbeatService._hang_up,
    machine.Finish: HeartbeatService._finish,
    machine.Pause: HeartbeatService._pause,
    machine.Exit: HeartbeatService._exit,
    machine.Tell: HeartbeatService._tell,
}
