"""Where scenes are played: one client, one origin, the proxy between them, and a canary each.

A scene is a function that takes a Stage, plants canaries in one corner of the protocol, exchanges
messages, and says which rows have to come of it.
"""

import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.privacy import messages
from tests.privacy.canaries import Canaries
from tests.privacy.wire import Client, Origin, Step

#: What makes a text too long to be recorded whole.
LONG = "x" * 1000


@dataclass
class Stage:
    """rows: how many rows of each kind and outcome must have been written, as "rpc ok".

    late: those that are written only when the proxy ends.
    held: exchanges that the scenes left unfinished, each with the row that it will give.
    session: the `Mcp-Session-Id`, itself a canary.
    """

    canaries: Canaries
    client: Client
    origin: Origin
    session: str = ""
    rows: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    held: list[tuple[socket.socket, str]] = field(default_factory=list)

    def plant(self, place: str, *, local: str | None = None, public: str | None = None) -> str:
        """See `Canaries.plant`."""
        return self.canaries.plant(place, local=local, public=public)

    @property
    def in_session(self) -> bytes:
        """The header that names the session."""
        return b"Mcp-Session-Id: " + self.session.encode()

    def exchange(
        self, request: bytes, *answer: Step, rows: str = "rpc ok", times: int = 1
    ) -> bytes:
        """Send a request, have it answered; the proxy writes these rows, separated by commas.

        times: how often. The second time the heads are known, and the bytes take the fast way.
        """
        for _ in range(times):
            if answer:
                self.origin.will(*answer)
            heard = self.client.ask(request)
            self.rows.update(row.strip() for row in rows.split(",") if row)
        return heard

    def call(
        self, body: bytes, *answer: Step, rows: str = "rpc ok", headers: tuple[bytes, ...] = ()
    ) -> bytes:
        """A JSON-RPC message in the session, three times."""
        request = messages.post(body, self.in_session, *headers)
        return self.exchange(request, *answer, rows=rows, times=3)

    def begin(self, request: bytes, *answer: Step) -> socket.socket:
        """Send a request on a connection of its own and wait until the origin has it."""
        connection = self.client.connect()
        wanted = self.origin.requests + 1
        self.origin.will(*answer)
        self.client.send(connection, request)
        self.origin.wait_for(wanted)
        return connection

    def leave(self, connection: socket.socket, row: str) -> None:
        """Close the connection; the exchange on it gives this row."""
        connection.close()
        self.rows[row] += 1

    def hold(self, connection: socket.socket, row: str) -> None:
        """Leave the exchange on this connection unfinished; one day it gives this row."""
        self.held.append((connection, row))

    def stop(self) -> None:
        """Before a drain: leave, but for the streams, which the proxy can end by itself."""
        for connection, row in self.held:
            if row.startswith("stream"):
                self.rows[row] += 1
            else:
                self.leave(connection, row)
        self.rows.update(self.late)

    def close(self) -> None:
        """Let go of everything."""
        self.client.close()
        self.origin.close()


Scene = Callable[[Stage], None]
