"""The heartbeat's rules, one row at a time."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from seaweedvol.cluster.heartbeat_machine import (
    AcceptDeltas,
    Action,
    Adopt,
    Announce,
    Answered,
    Appeared,
    Beat,
    Confirm,
    Dial,
    Exit,
    Finish,
    Hangup,
    HeartbeatMachine,
    Left,
    Lost,
    Pause,
    Pulsed,
    RequireFullList,
    Rested,
    Send,
    Started,
    State,
    Tell,
    Vanished,
)
from seaweedvol.store.report import VolumeReport

ONE, TWO, THREE = "10.0.0.1:9333", "10.0.0.2:9333", "10.0.0.3:9333"
FIRST_BEATS = [Send(Beat.VOLUMES), Send(Beat.SHARDS)]
WELCOME = Answered(volume_size_limit=1000, is_digest_supported=True)


def deeds(actions: list[Action]) -> list[Action]:
    """The actions without those that only log."""
    return [action for action in actions if not isinstance(action, Tell)]


class HeartbeatMachineTests(SynchronousTestCase):
    """What follows from which event in which state."""

    def setUp(self) -> None:
        """A machine with two masters."""
        self.machine = HeartbeatMachine([ONE, TWO])

    def feed(self, event: object) -> list[Action]:
        """The deeds that follow from an event."""
        return deeds(self.machine.feed(event))  # type: ignore[arg-type]

    def test_losses(self) -> None:
        """Each stream that fails is told of, with its master; a new leader is no failure."""
        lost: list[str] = []
        self.machine = HeartbeatMachine([ONE, TWO], lost.append)
        self.beat()
        self.feed(Lost("EOF"))
        self.feed(Rested())
        self.feed(Answered(duplicated_uuids=("u",)))
        self.feed(Rested())
        self.feed(Answered(leader=THREE))
        self.feed(Rested())
        self.feed(Left())
        self.feed(Lost("EOF"))
        self.assertEqual(lost, [ONE, TWO])

    def beat(self) -> None:
        """Bring the machine to where a master has answered."""
        self.feed(Started())
        self.feed(WELCOME)

    def test_start_sends_full_list_and_shards(self) -> None:
        """A stream opens to the first master and begins with both kinds of beat."""
        self.assertEqual(self.feed(Started()), [Dial(ONE), *FIRST_BEATS])

    def test_first_answer_confirms_once(self) -> None:
        """The first answer proves that the beat is out; later ones say nothing new."""
        self.feed(Started())
        self.assertEqual(self.feed(WELCOME), [Confirm(), Adopt(1000, False), Send(Beat.VOLUMES), AcceptDeltas()])
        self.assertEqual(self.feed(WELCOME), [AcceptDeltas()])

    def test_changed_settings_are_adopted_and_reported(self) -> None:
        """A new limit or preallocation may change the number of slots, so a beat follows at once."""
        self.beat()
        self.assertEqual(self.feed(Answered(volume_size_limit=7, preallocate=True)),
                         [Adopt(7, True), Send(Beat.VOLUMES)])
        self.assertEqual(self.feed(Answered(volume_size_limit=0, preallocate=True)), [], "zero is no limit")

    def test_full_list_is_sent_when_asked_for(self) -> None:
        """The master may ask for everything; the next beat carries it."""
        self.beat()
        self.assertEqual(self.feed(Answered(is_full_list_wanted=True)), [RequireFullList()])

    def test_pulses(self) -> None:
        """Every pulse brings a volume beat, every seventeenth a shard beat too."""
        self.beat()
        for _ in range(2):
            for _ in range(16):
                self.assertEqual(self.feed(Pulsed()), [Send(Beat.VOLUMES)])
            self.assertEqual(self.feed(Pulsed()), FIRST_BEATS)

    def test_volumes_are_announced_at_once(self) -> None:
        """New and deleted volumes do not wait for the pulse, but only a stream can carry them."""
        report = VolumeReport(id=3)
        self.assertEqual(self.feed(Appeared(report)), [])
        self.feed(Started())
        self.assertEqual(self.feed(Appeared(report)), [Announce(report, is_deletion=False)])
        self.feed(WELCOME)
        self.assertEqual(self.feed(Vanished(report)), [Announce(report, is_deletion=True)])
        self.feed(Lost("gone"))
        self.assertEqual(self.feed(Appeared(report)), [])

    def test_lost_stream_goes_round_the_masters(self) -> None:
        """After a pulse's pause the next master is tried, and after the last the first."""
        self.feed(Started())
        for following in (TWO, ONE, TWO):
            self.assertEqual(self.feed(Lost("refused")), [Hangup(), Pause(5.0)])
            self.assertEqual(self.feed(Rested()), [Dial(following), *FIRST_BEATS])

    def test_leader_is_followed_after_a_pause(self) -> None:
        """A follower names the leader; it is dialled after three seconds even when it was not configured."""
        self.feed(Started())
        self.assertEqual(self.feed(Answered(leader=THREE)), [Hangup(), Pause(3.0)])
        self.assertEqual(self.feed(Rested()), [Dial(THREE), *FIRST_BEATS])
        self.assertEqual(self.machine.current, THREE)
        self.assertEqual(self.feed(Lost("gone"))[-1], Pause(5.0))
        self.assertEqual(self.feed(Rested())[0], Dial(ONE), "the leader took the second master's turn, as in Go")

    def test_own_name_is_no_other_leader(self) -> None:
        """A master that names itself, with its gRPC port, is not left."""
        self.feed(Started())
        self.assertEqual(self.feed(Answered(leader=ONE + ".19333"))[0], Confirm())

    def test_duplicate_directories_are_retried_then_fatal(self) -> None:
        """Announced twice may be a race: 2, 4 and 8 seconds; then it is a mistake, and the process ends."""
        duplicated = Answered(duplicated_uuids=("u1",))
        self.feed(Started())
        for seconds in (2.0, 4.0, 8.0):
            self.assertEqual(self.feed(duplicated), [Hangup(), Pause(seconds)])
            self.feed(Rested())
        hangup, exit_ = self.feed(duplicated)
        assert isinstance(exit_, Exit)
        self.assertEqual((hangup, exit_.status), (Hangup(), 1))
        self.assertIn("u1", exit_.reason)
        self.assertEqual(self.machine.state, State.STOPPED)

    def test_any_other_end_forgives_duplicates(self) -> None:
        """A stream that is lost, or a master that takes the beat, starts the count again."""
        duplicated = Answered(duplicated_uuids=("u1",))
        for forgiving in (Lost("refused"), WELCOME):
            machine = HeartbeatMachine([ONE])
            for event in (Started(), duplicated, Rested(), forgiving, Lost("gone"), Rested()):
                machine.feed(event)
            self.assertEqual(deeds(machine.feed(duplicated)), [Hangup(), Pause(2.0)])

    def test_leave_says_goodbye(self) -> None:
        """One empty beat, then the stream ends; when the master has ended it too nothing is left to do."""
        self.beat()
        self.assertEqual(self.feed(Left()), [Send(Beat.GOODBYE), Finish()])
        self.assertEqual(self.feed(Pulsed()), [])
        self.assertEqual(self.feed(WELCOME), [])
        self.assertEqual(self.feed(Lost("EOF")), [Hangup()])
        self.assertEqual(self.machine.state, State.STOPPED)

    def test_leave_without_stream_is_immediate(self) -> None:
        """Nobody needs a goodbye who was never greeted."""
        self.assertEqual(self.feed(Left()), [Hangup()])
        paused = HeartbeatMachine([ONE])
        paused.feed(Started())
        paused.feed(Lost("refused"))
        paused.feed(Left())
        self.assertEqual(paused.state, State.STOPPED)

    def test_nothing_follows_the_end(self) -> None:
        """A stopped heartbeat stays stopped whatever comes late."""
        self.feed(Left())
        for event in (Started(), WELCOME, Lost("x"), Rested(), Pulsed(), Appeared(VolumeReport(id=1)), Left()):
            self.assertEqual(self.feed(event), [])
