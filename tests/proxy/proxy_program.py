"""A data-plane process with nothing but a recorder, for the tests that end one the hard way.

Arguments: the name and target of the sink, and how many events to publish. Says the companion's
process id on stdout once the events have left, then goes on doing nothing.
"""

import asyncio
import sys
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.events.building import many
from tests.proxy.recording import PROGRAM, until

from mcpr.proxy.recorder import Recorder, RecorderSettings


async def main() -> None:
    """Publish, and wait to be killed."""
    sink, target, count = sys.argv[1:]
    recorder = Recorder(RecorderSettings(((sink, target),), command=PROGRAM))
    await recorder.start()
    for event in many(int(count)):
        recorder.publish(event)
    link = recorder._link
    assert link is not None
    await until(lambda: not recorder._pending and link.waiting_bytes == 0)
    sys.stdout.write(f"{recorder.companion_pid}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
