"""proxy/reporter: the data plane's state, as it is, once a second."""

import random

import msgspec
from tests.dataplane.building import answer, get, post
from tests.dataplane.caller import calling
from tests.dataplane.fake_upstream import answering, playing
from tests.dataplane.plane import proxying
from tests.dataplane.scene import run, until
from tests.dataplane.test_pool import STREAM

from mcpr.events import Ids
from mcpr.pipeline.exchange import Recording
from mcpr.pipeline.identity import Caller, Sessions
from mcpr.proxy import frames
from mcpr.proxy.frames import Kind, PlaneState
from mcpr.proxy.reporter import Reporter


def test_it_tells_at_once_then_every_second_and_at_the_end() -> None:
    async def scene() -> None:
        told: list[PlaneState] = []

        def tell(kind: Kind, state: PlaneState) -> None:
            # Through the frame that it travels in.
            (found,) = frames.FrameReader().feed(frames.pack(kind, state))
            assert found[0] == Kind.STATE
            told.append(frames.unpack(found[1], PlaneState))

        async with (
            playing(answering(answer(), STREAM)) as upstream,
            proxying(upstream.port) as plane,
            calling(plane.port) as caller,
            calling(plane.port) as other,
        ):
            recording = Recording("weather", lambda _: None, Ids(random.Random(1).getrandbits))
            reporter = Reporter(plane.listener, recording, tell)
            reporter.start()
            assert [state.connections for state in told] == [2]
            assert (told[0].is_draining, told[0].pools[0].opened) == (False, 0)
            await caller.call(post())
            await other.send(get(b"Accept: text/event-stream"))
            await until(lambda: plane.pool.streams == 1)
            await until(lambda: len(told) > 1 and told[-1].pools[0].streams == 1)
            pool = told[-1].pools[0]
            assert (pool.server, pool.opened + pool.reused, pool.idle + pool.in_use) == (
                "weather",
                2,
                len(plane.pool.connections),
            )
            assert told[-1].cpu_seconds > 0
            assert (told[-1].resident_bytes or 1 << 30) > 1 << 20
            reporter.reloaded(is_current=True)
            reporter.reloaded(is_current=False)
            reporter.show_as("json")
            state = told[-1]
            assert (state.reloads, state.refused, state.is_current) == (2, 1, False)
            assert state.log == "json"
            recording.sessions = Sessions(limit=2)
            for name in "abc":
                recording.sessions.opened(name, Caller("zed"))
            assert (reporter.state().sessions, reporter.state().sessions_evicted) == (2, 1)
            reporter.drain()
            assert told[-1].is_draining
            reporter.stop()
            said = len(told)
            assert told[-1] != msgspec.structs.replace(told[-1], is_draining=False)
            assert reporter._timer is None
            assert len(told) == said

    run(scene())
