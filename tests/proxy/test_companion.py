"""proxy/companion: it outlives what it must, ends when it must, and says what became of everything.

Real processes on one end of a socket; the tests speak the frames themselves where the recorder
would never say such a thing.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.events.building import an_event, many
from tests.proxy.recording import PROGRAM, held, is_alive, lines, recording, run, until

from mcpr.proxy import frames
from mcpr.proxy.frames import (
    Ack,
    AdminBind,
    Assignment,
    Carried,
    Failed,
    Fin,
    FrameReader,
    Kind,
    Losses,
    Ready,
)
from mcpr.serving import Address, bind, bound
from mcpr.sinks import Tally

WAIT_SECONDS = 20.0


class Conversation:
    """A companion process and our end of its socket."""

    def __init__(self, end: socket.socket, process: "subprocess.Popen[str]") -> None:
        self.end = end
        self.process = process
        self._reader = FrameReader()
        self._heard: list[tuple[int, bytes]] = []

    def say(self, *sent: bytes) -> None:
        self.end.sendall(b"".join(sent))

    def hear(self) -> tuple[int, bytes]:
        while not self._heard:
            data = self.end.recv(65_536)
            assert data, "the companion has closed"
            self._heard += self._reader.feed(data)
        return self._heard.pop(0)

    def hear_final(self) -> Ack:
        kind, body = self.hear()
        while kind == Kind.ACK:
            kind, body = self.hear()
        assert kind == Kind.FINAL
        return frames.unpack(body, Ack)

    def ended(self) -> tuple[int, str]:
        """Its exit status and what it said on stderr."""
        _, said = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode, said


@contextlib.contextmanager
def conversation() -> Iterator[Conversation]:
    ours, theirs = socket.socketpair()
    ours.settimeout(WAIT_SECONDS)
    with ours, theirs:
        process = subprocess.Popen(
            [*PROGRAM, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        try:
            yield Conversation(ours, process)
        finally:
            ours.close()
            process.kill()
            process.communicate()


def start(*sinks: tuple[str, str | Path], admin: AdminBind | None = None) -> bytes:
    named = [(name, str(target)) for name, target in sinks]
    carried = [Carried(0, Tally()) for _ in named]
    return frames.pack(Kind.START, Assignment(named, admin, carried, Losses({}), 0))


def fin(seconds: float = WAIT_SECONDS) -> bytes:
    return frames.pack(Kind.FIN, Fin(seconds))


def test_a_companion_says_ready_then_settles_what_it_gets_then_ends(tmp_path: Path) -> None:
    with conversation() as talk:
        talk.say(start(("lines", tmp_path / "a")))
        assert talk.hear() == (Kind.READY, frames.pack(Kind.READY, Ready(None))[5:])
        talk.say(frames.pack_events(many(3)), frames.pack_events(many(4)), fin())
        assert talk.hear_final() == Ack(0, 0, [Tally(written=7)])
        assert talk.ended() == (0, "")
    assert len(lines(tmp_path / "a")) == 7


def test_what_is_settled_is_acknowledged_while_it_goes_on(tmp_path: Path) -> None:
    with conversation() as talk:
        talk.say(start(("lines", tmp_path / "a")), frames.pack_events([]))
        assert talk.hear()[0] == Kind.READY
        talk.say(frames.pack_events(many(5)))
        kind, body = talk.hear()
        assert kind == Kind.ACK
        assert frames.unpack(body, Ack) == Ack(0, 0, [Tally(written=5)])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_ends_the_proxy_does_not_end_its_companion(
    number: signal.Signals, tmp_path: Path
) -> None:
    with conversation() as talk:
        talk.say(start(("lines", tmp_path / "a")))
        assert talk.hear()[0] == Kind.READY
        talk.process.send_signal(number)
        talk.say(frames.pack_events(many(2)), fin())
        assert talk.hear_final() == Ack(0, 0, [Tally(written=2)])
        assert talk.ended() == (0, "")


def test_when_the_proxy_is_gone_the_companion_writes_what_it_has_and_ends(tmp_path: Path) -> None:
    with conversation() as talk:
        talk.say(start(("lines", tmp_path / "a")))
        assert talk.hear()[0] == Kind.READY
        half_a_frame = frames.pack_events(many(100))[:-10]
        talk.say(frames.pack_events(many(300)), half_a_frame)
        talk.end.close()
        assert talk.ended() == (0, "")
    assert len(lines(tmp_path / "a")) == 300


def test_a_killed_proxy_loses_nothing_that_had_left_it(tmp_path: Path) -> None:
    """kill -9 of the data-plane process; the companion is an orphan then."""

    async def scene() -> None:
        program = Path(__file__).with_name("proxy_program.py")
        proxy = subprocess.Popen(  # noqa: ASYNC220 - starting it may block this scene
            [sys.executable, str(program), "lines", str(tmp_path / "a"), "5000"],
            stdout=subprocess.PIPE,
            text=True,
        )
        with proxy:
            assert proxy.stdout is not None
            companion = int(proxy.stdout.readline())
            proxy.kill()
        await until(lambda: not is_alive(companion))
        assert len(set(lines(tmp_path / "a"))) == 5000

    run(scene())


def test_a_proxy_that_is_gone_before_the_start_leaves_no_companion() -> None:
    with conversation() as talk:
        talk.end.close()
        assert talk.ended() == (0, "")


def test_a_sink_that_cannot_be_opened_is_said_in_its_own_words(tmp_path: Path) -> None:
    with conversation() as talk:
        talk.say(start(("lines", tmp_path / "a"), ("lines", tmp_path / "no" / "a")))
        kind, body = talk.hear()
        assert kind == Kind.FAILED
        assert frames.unpack(body, Failed).what == "cannot open the lines"
        assert talk.ended() == (0, "")


def test_a_sink_that_is_not_known_is_said() -> None:
    with conversation() as talk:
        talk.say(start(("kafka", "")))
        kind, body = talk.hear()
        assert kind == Kind.FAILED
        assert "kafka" in frames.unpack(body, Failed).what


def test_a_taken_admin_port_is_said_with_what_to_do(tmp_path: Path) -> None:
    with bind(Address("127.0.0.1", 0)) as taken, conversation() as talk:
        port = bound(taken).port
        talk.say(start(("lines", tmp_path / "a"), admin=AdminBind("127.0.0.1", port, 1)))
        kind, body = talk.hear()
        assert kind == Kind.FAILED
        failed = frames.unpack(body, Failed)
        assert f"127.0.0.1:{port}" in failed.why
        assert "--admin" in failed.next_step


@pytest.mark.parametrize(
    "noise",
    [
        b"\xff\xff\xff\xff\x02",
        frames.frame(Kind.EVENTS, b"\xc1"),
        frames.frame(Kind.READY, b""),
        start(),
    ],
    ids=["no frame", "no events", "its own words", "a second start"],
)
def test_a_stream_that_makes_no_sense_ends_the_companion_with_a_line(
    noise: bytes, tmp_path: Path
) -> None:
    """Not with FINAL: the recorder then knows that another one is needed."""
    with conversation() as talk:
        talk.say(start(("lines", tmp_path / "a")))
        assert talk.hear()[0] == Kind.READY
        talk.say(frames.pack_events(many(2)), noise, frames.pack_events(many(2)))
        status, said = talk.ended()
        assert status == 0
        assert said.startswith("mcpr: cannot read the events of the proxy:")
        assert said.count("\n") == 1
        kinds = set()
        while data := talk.end.recv(65_536):
            kinds |= {kind for kind, _ in FrameReader().feed(data)}
        assert kinds == {Kind.ACK}
    assert len(lines(tmp_path / "a")) == 2


def test_more_than_the_lane_holds_is_dropped_not_kept(tmp_path: Path) -> None:
    with held(tmp_path / "gate"), conversation() as talk:
        talk.say(start(("gate", tmp_path / "gate")))
        assert talk.hear()[0] == Kind.READY
        talk.say(frames.pack_events([an_event()]))
        event = an_event()
        batch = frames.pack_events([event] * 1000)
        for _ in range(30):
            talk.say(batch)
        talk.say(fin(0.2))
        (tally,) = talk.hear_final().tallies
    assert tally.settled == 30_001
    assert tally.dropped["lane_full"] >= 9_000
    assert set(tally.dropped) == {"lane_full", "deadline"}


def test_a_companion_does_not_grow_with_what_a_stuck_sink_does_not_take(tmp_path: Path) -> None:
    async def scene() -> None:
        with held(tmp_path / "gate"):
            async with recording(("gate", tmp_path / "gate")) as recorder:
                pid = recorder.companion_pid
                assert pid is not None

                async def flood() -> int:
                    before = recorder.counts().published
                    for event in many(40_000):
                        recorder.publish(event)
                    await until(
                        lambda: (
                            recorder.counts().under_way <= 21_000
                            and recorder.counts().published == before + 40_000
                        )
                    )
                    return resident_bytes(pid)

                first = await flood()
                assert await flood() - first < 16 * 1024 * 1024

    run(scene())


def resident_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
