"""Clients notice nothing: their story is the same through mcpr, and the record tells it again."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from tests.conformance.install import install_fastmcp, install_tools
from tests.conformance.stories import (
    ALL_CLIENTS,
    MAY_COME_MORE_OFTEN,
    Client,
    Installed,
    Row,
    Stage,
    Told,
    expected_rows,
    stage,
)
from tests.conformance.suite import mcpr_command, relay_command
from tests.protocol.size import IS_FULL

from mcpr.errors import McprError

pytestmark = pytest.mark.timeout(600)

LEFT_TO_FULL_SIZE = {"typescript-2-2026-07-28", "fastmcp-legacy", "fastmcp-2026-07-28"}
"""What is nearly another client's story."""

CLIENTS = [client for client in ALL_CLIENTS if IS_FULL or str(client) not in LEFT_TO_FULL_SIZE]
CANCELLING = [client for client in CLIENTS if client.name != "inspector"]
WAIT_SECONDS = 30.0


@pytest.fixture(scope="session")
def installed() -> Installed:
    return Installed(install_tools(), install_fastmcp())


@pytest.fixture(scope="session")
def before_mcpr(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(installed, tmp_path_factory.mktemp("stories"), mcpr_command) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Telling:
    """One client's story, directly and through mcpr, and what mcpr and the server knew after it."""

    direct: Told
    through: Told
    rows: Counter[Row]
    senders: set[tuple[str | None, ...]]
    cancelled: int


@pytest.fixture(scope="session")
def telling(before_mcpr: Stage) -> Callable[[Client], Telling]:
    """Client → its story, told once each way."""

    def tell(client: Client) -> Telling:
        direct = before_mcpr.tell(client, through=False)
        start, cancelled = before_mcpr.last_row(), before_mcpr.count_cancelled()
        through = before_mcpr.tell(client, through=True)

        def has_arrived() -> bool | None:
            is_cancelled = client not in CANCELLING or before_mcpr.count_cancelled() > cancelled
            return (is_cancelled and expected_rows(client) <= before_mcpr.rows_since(start)) or None

        with suppress(McprError):  # what is missing is shown by the test that looks for it
            before_mcpr.server.wait_until(has_arrived, WAIT_SECONDS)
        return Telling(
            direct,
            through,
            before_mcpr.rows_since(start),
            before_mcpr.senders_since(start),
            before_mcpr.count_cancelled() - cancelled,
        )

    return cache(tell)


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_client_tells_the_same_story_through_mcpr_as_directly(
    client: Client, telling: Callable[[Client], Telling]
) -> None:
    told = telling(client)
    assert told.direct.exit_code == 0, told.direct.stderr
    assert told.direct.lines[-1] == '["closed", null]'
    assert told.through.lines == told.direct.lines
    # Not stderr: the Python SDK may complain there of an event that comes while it closes.
    assert told.through.exit_code == 0, told.through.stderr


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_mcpr_recorded_each_step_of_the_story_with_its_outcome(
    client: Client, telling: Callable[[Client], Telling]
) -> None:
    rows = telling(client).rows
    expected = expected_rows(client)
    assert expected - rows == Counter()
    assert (rows - expected).keys() <= MAY_COME_MORE_OFTEN


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_mcpr_knows_who_told_the_story_and_in_which_revision(
    client: Client, telling: Callable[[Client], Telling]
) -> None:
    assert telling(client).senders == {(*client.recorded, client.revision)}


@pytest.mark.parametrize("client", CANCELLING, ids=str)
def test_a_call_that_a_client_gave_up_was_given_up_on_the_server(
    client: Client, telling: Callable[[Client], Telling]
) -> None:
    assert telling(client).cancelled == 1


def test_a_relay_that_drops_one_header_changes_the_story(
    installed: Installed, tmp_path: Path
) -> None:
    """Guards the comparison: stories that are cut short alike would be equal as well."""
    client = next(client for client in CLIENTS if str(client) == "python-legacy")
    relay = relay_command("--drop-request", "last-event-id")
    with stage(installed, tmp_path, relay) as before_relay:
        told = before_relay.tell(client, through=True)
    assert told.lines[-1] != '["closed", null]'
