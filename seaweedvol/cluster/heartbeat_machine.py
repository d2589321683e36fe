"""When to connect to which master, what to send and when to give up: the heartbeat without any I/O.

Events go in, actions come out; the rules are the table at the end. Written after ``weed/server/
volume_grpc_client_to_master.go`` of SeaweedFS 4.44. Must not know gRPC, clocks, threads or the store: the service in
:mod:`seaweedvol.cluster.heartbeat` carries the actions out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import attrs

from seaweedvol.config.address import ServerAddress
from seaweedvol.store.report import VolumeReport
from seaweedvol.store.shardreport import ShardReport

PULSE_SECONDS: Final = 5.0
SHARD_BEAT_EVERY: Final = 17
LEADER_PAUSE_SECONDS: Final = 3.0
DUPLICATE_PAUSES_SECONDS: Final = (2.0, 4.0, 8.0)
DUPLICATE_EXIT_STATUS: Final = 1


class State(enum.Enum):
    """Where the heartbeat is."""

    IDLE = "idle"            # not started yet
    OPENING = "opening"      # a stream is open, its first beat on the way; the master has not answered
    BEATING = "beating"      # the master answered
    PAUSING = "pausing"      # no stream; waiting before the next one
    LEAVING = "leaving"      # the last beat is on the way
    STOPPED = "stopped"


class Beat(enum.Enum):
    """The kinds of heartbeat that carry no value of their own; what they hold is collected when they are sent."""

    VOLUMES = "volumes"      # all volumes, or what changed
    SHARDS = "shards"        # all erasure coded shards
    GOODBYE = "goodbye"      # nothing is here any more


# --- events --------------------------------------------------------------------------------------------------------

@attrs.frozen
class Started:
    """The server is ready to be announced."""


@attrs.frozen
class Answered:
    """The master sent a message.

    :ivar volume_size_limit: bytes; 0 when not said.
    :ivar leader: address of the master to talk to; "" when not said.
    :ivar duplicated_uuids: directories that another server has announced already.
    """

    volume_size_limit: int = 0
    preallocate: bool = False
    leader: str = ""
    duplicated_uuids: tuple[str, ...] = ()
    is_digest_supported: bool = False
    is_full_list_wanted: bool = False


@attrs.frozen
class Lost:
    """The stream ended."""

    reason: str


@attrs.frozen
class Rested:
    """The pause is over."""


@attrs.frozen
class Pulsed:
    """Another pulse has passed since the stream was opened."""


@attrs.frozen
class Appeared:
    """The store has a volume, or shards, that it did not have."""

    report: VolumeReport | ShardReport


@attrs.frozen
class Vanished:
    """The store has a volume, or shards, no more."""

    report: VolumeReport | ShardReport


@attrs.frozen
class Left:
    """The server leaves the cluster or stops."""


Event: TypeAlias = Started | Answered | Lost | Rested | Pulsed | Appeared | Vanished | Left


# --- actions -------------------------------------------------------------------------------------------------------

@attrs.frozen
class Dial:
    """Open a stream to this master, forget what the last one was told, and begin to pulse."""

    master: str


@attrs.frozen
class Send:
    """Put a beat on the stream."""

    beat: Beat


@attrs.frozen
class Announce:
    """Put a beat with one new or one deleted volume, or such shards, on the stream."""

    report: VolumeReport | ShardReport
    is_deletion: bool


@attrs.frozen
class AcceptDeltas:
    """The master compares digests: from now on beats need only carry changes."""


@attrs.frozen
class RequireFullList:
    """The next beat must carry everything."""


@attrs.frozen
class Adopt:
    """The master's settings for volumes. Zero: no new limit."""

    volume_size_limit: int
    preallocate: bool


@attrs.frozen
class Confirm:
    """A master took our first beat."""


@attrs.frozen
class Hangup:
    """Drop the stream and stop to pulse."""


@attrs.frozen
class Finish:
    """Close the stream once what was put on it is sent, and stop to pulse."""


@attrs.frozen
class Pause:
    """Come back with :class:`Rested`."""

    seconds: float


@attrs.frozen
class Exit:
    """End the process."""

    status: int
    reason: str


@attrs.frozen
class Tell:
    """One line for the log."""

    text: str


Action: TypeAlias = (Dial | Send | Announce | AcceptDeltas | RequireFullList | Adopt | Confirm | Hangup | Finish | Pause
                     | Exit | Tell)


def unnoted(master: str) -> None:
    """Where losses go when nobody counts them."""


class HeartbeatMachine:
    """The state of the heartbeat.

    :param masters: the configured masters, at least one; tried in turn.
    :param note_loss: told of each master with whom talking has failed.
    """

    def __init__(self, masters: Sequence[str], note_loss: Callable[[str], None] = unnoted) -> None:
        self._note_loss = note_loss
        self.state = State.IDLE
        self.current = masters[0]
        self._masters = tuple(masters)
        self._next = 0
        self._new_leader = ""
        self._duplicates = 0
        self._pulses = 0
        self._settings = (0, False)

    def feed(self, event: Event) -> list[Action]:
        """What is to be done about ``event``; what a state does not expect changes nothing."""
        rule = _RULES.get((self.state, type(event)))
        return [] if rule is None else rule(self, event)

    # --- connecting ---

    def _dial(self, _event: Event) -> list[Action]:
        seed = self._masters[self._next % len(self._masters)]
        self._next += 1
        self.current, self._new_leader = self._new_leader or seed, ""
        self.state = State.OPENING
        self._pulses = 0
        return [Tell(f"Heartbeat to: {self.current}"), Dial(self.current), Send(Beat.VOLUMES), Send(Beat.SHARDS)]

    def _lose(self, event: Event) -> list[Action]:
        assert isinstance(event, Lost)
        self._duplicates = 0
        self._note_loss(self.current)
        return [Tell(f"heartbeat to {self.current} error: {event.reason}"), *self._rest(PULSE_SECONDS)]

    def _rest(self, seconds: float) -> list[Action]:
        self.state = State.PAUSING
        return [Hangup(), Pause(seconds)]

    # --- talking ---

    def _answer(self, event: Event) -> list[Action]:
        assert isinstance(event, Answered)
        if event.duplicated_uuids:
            return self._refuse_duplicates(event.duplicated_uuids)
        actions: list[Action] = []
        if event.leader and not _is_same(event.leader, self.current):
            return self._follow(event.leader)
        if self.state is State.OPENING:
            self.state = State.BEATING
            self._duplicates = 0
            actions.append(Confirm())
        actions += self._adopt(event)
        if event.is_digest_supported:
            actions.append(AcceptDeltas())
        if event.is_full_list_wanted:
            actions += [Tell(f"master {self.current} asked for the full volume list"), RequireFullList()]
        return actions

    def _adopt(self, event: Answered) -> list[Action]:
        limit, _ = self._settings
        wanted = (event.volume_size_limit or limit, event.preallocate)
        if wanted == self._settings:
            return []
        self._settings = wanted
        # Free slots may follow from the limit, so the master is told at once.
        return [Adopt(event.volume_size_limit, event.preallocate), Send(Beat.VOLUMES)]

    def _follow(self, leader: str) -> list[Action]:
        told = Tell(f"found a new master leader: {leader} instead of {self.current}")
        self._duplicates = 0
        self._new_leader = leader
        return [told, *self._rest(LEADER_PAUSE_SECONDS)]

    def _refuse_duplicates(self, uuids: tuple[str, ...]) -> list[Action]:
        listed = ", ".join(uuids)
        if self._duplicates >= len(DUPLICATE_PAUSES_SECONDS):
            self.state = State.STOPPED
            return [Hangup(), Exit(DUPLICATE_EXIT_STATUS, "another volume server keeps announcing the same "
                                   f"directories ({listed}); check that no two servers use one directory")]
        seconds = DUPLICATE_PAUSES_SECONDS[self._duplicates]
        self._duplicates += 1
        self._note_loss(self.current)
        told = Tell(f"master {self.current} reports duplicate volume directories: {listed} "
                    f"(retry {self._duplicates}/{len(DUPLICATE_PAUSES_SECONDS)} in {seconds:g} s)")
        return [told, *self._rest(seconds)]

    def _pulse(self, _event: Event) -> list[Action]:
        self._pulses += 1
        beats: list[Action] = [Send(Beat.VOLUMES)]
        if self._pulses % SHARD_BEAT_EVERY == 0:
            beats.append(Send(Beat.SHARDS))
        return beats

    def _appear(self, event: Event) -> list[Action]:
        assert isinstance(event, Appeared)
        return [Announce(event.report, is_deletion=False)]

    def _vanish(self, event: Event) -> list[Action]:
        assert isinstance(event, Vanished)
        return [Announce(event.report, is_deletion=True)]

    # --- leaving ---

    def _say_goodbye(self, _event: Event) -> list[Action]:
        self.state = State.LEAVING
        return [Send(Beat.GOODBYE), Finish()]

    def _stop(self, _event: Event) -> list[Action]:
        self.state = State.STOPPED
        return [Hangup()]


def _is_same(one: str, other: str) -> bool:
    """Whether two addresses name the same master; the gRPC port does not count, as in Go."""
    return ServerAddress(one).http == ServerAddress(other).http


_Rule: TypeAlias = Callable[[HeartbeatMachine, Event], list[Action]]

_RULES: Final[dict[tuple[State, type[Event]], _Rule]] = {
    (State.IDLE, Started): HeartbeatMachine._dial,
    (State.IDLE, Left): HeartbeatMachine._stop,
    (State.OPENING, Answered): HeartbeatMachine._answer,
    (State.OPENING, Lost): HeartbeatMachine._lose,
    (State.OPENING, Pulsed): HeartbeatMachine._pulse,
    (State.OPENING, Appeared): HeartbeatMachine._appear,
    (State.OPENING, Vanished): HeartbeatMachine._vanish,
    (State.OPENING, Left): HeartbeatMachine._say_goodbye,
    (State.BEATING, Answered): HeartbeatMachine._answer,
    (State.BEATING, Lost): HeartbeatMachine._lose,
    (State.BEATING, Pulsed): HeartbeatMachine._pulse,
    (State.BEATING, Appeared): HeartbeatMachine._appear,
    (State.BEATING, Vanished): HeartbeatMachine._vanish,
    (State.BEATING, Left): HeartbeatMachine._say_goodbye,
    (State.PAUSING, Rested): HeartbeatMachine._dial,
    (State.PAUSING, Left): HeartbeatMachine._stop,
    (State.LEAVING, Lost): HeartbeatMachine._stop,
}
