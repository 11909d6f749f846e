"""The slowed clock: a program cannot tell, a watch can."""

import os
import subprocess
import sys
import time

import pytest

from benches import subjects

WAITS = {
    "sleep": "import time; time.sleep(0.05)",
    "lock": "import threading; threading.Event().wait(0.05)",
    "selector": "import asyncio; asyncio.run(asyncio.sleep(0.05))",
    "uvloop": "import asyncio, uvloop; uvloop.run(asyncio.sleep(0.05))",
    "select": "import select; select.select([], [], [], 0.05)",
}


def run_slowed(program: str) -> str:
    library = subjects.compile_c("slowclock.c", "slowclock.so", "-shared", "-fPIC")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "LD_PRELOAD": str(library), "SLOW_CLOCK": "10"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_lasts_its_time_by_the_slowed_clock_and_longer_by_the_real_one(wait: str) -> None:
    """Only a lower bound is asserted: a wait may always last longer."""
    program = f"import time; t = time.monotonic(); {WAITS[wait]}; print(time.monotonic() - t)"
    before = time.monotonic()
    lasted = float(run_slowed(program))
    assert time.monotonic() - before >= 0.5
    assert lasted >= 0.049


def test_a_thread_that_waits_for_pythons_lock_does_not_spin() -> None:
    """CPython waits 5 ms for its lock by the monotonic clock; unslowed, that wait ends at once.

    Two threads that count to ten million switched some 1,700 times when it did, 30 times since.
    """
    program = (
        "import resource, threading\n"
        "def work():\n"
        "    for _ in range(10_000_000): pass\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "work()\n"
        "thread.join()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw)\n"
    )
    assert int(run_slowed(program)) < 400
