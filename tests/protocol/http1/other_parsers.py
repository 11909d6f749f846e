"""How llhttp (through httptools) and h11 read a message: the oracles for our own parser."""

from dataclasses import dataclass, field
from typing import Protocol

import h11
import httptools


class Refused(Exception):
    """The other parser does not take this message."""


@dataclass(slots=True)
class Reading:
    """What a parser made of a head and of what it was fed after it.

    start: method and target, or the status. fields: lower-case names and values, in order.
    upgrades: the parser handed the connection over and reads no body.
    """

    start: tuple[bytes, ...] = ()
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    minor_version: int = 0
    body: bytes = b""
    heads: int = 0
    is_complete: bool = False
    upgrades: bool = False


class Parser(Protocol):
    """Feed it bytes; `reading` is what it made of them. Raises Refused."""

    reading: Reading

    def feed(self, data: bytes) -> None: ...


class Llhttp:
    """llhttp as httptools drives it, in its default strictness."""

    def __init__(self, *, response: bool = False) -> None:
        self.reading = Reading()
        self._target = b""
        self._is_response = response
        self._parser: httptools.HttpRequestParser | httptools.HttpResponseParser = (
            httptools.HttpResponseParser(self) if response else httptools.HttpRequestParser(self)
        )

    def feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.reading.upgrades = True
        except httptools.HttpParserError as exc:
            raise Refused(str(exc)) from exc

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.reading.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        reading = self.reading
        reading.heads += 1
        reading.minor_version = int(self._parser.get_http_version().rpartition(".")[2])
        if isinstance(self._parser, httptools.HttpResponseParser):
            reading.start = (b"%d" % self._parser.get_status_code(),)
        else:
            reading.start = (self._parser.get_method(), self._target)

    def on_body(self, body: bytes) -> None:
        self.reading.body += body

    def on_message_complete(self) -> None:
        self.reading.is_complete = True


class H11:
    """h11 as a server, or as a client that has asked with GET."""

    def __init__(self, *, response: bool = False) -> None:
        self.reading = Reading()
        self._connection = h11.Connection(h11.CLIENT if response else h11.SERVER)
        if response:
            self._connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
            self._connection.send(h11.EndOfMessage())

    def feed(self, data: bytes) -> None:
        try:
            self._connection.receive_data(data)
            while self._take(self._connection.next_event()):
                pass
        except h11.RemoteProtocolError as exc:
            raise Refused(str(exc)) from exc

    def _take(self, event: object) -> bool:
        """Whether there may be more."""
        reading = self.reading
        match event:
            case h11.Request():
                reading.start = (bytes(event.method), bytes(event.target))
            case h11.Response() | h11.InformationalResponse():
                reading.start = (b"%d" % event.status_code,)
            case h11.Data():
                reading.body += bytes(event.data)
            case h11.EndOfMessage():
                reading.is_complete = True
            case _:
                reading.upgrades = event is h11.PAUSED and not reading.is_complete
                return False
        if isinstance(event, h11.Request | h11.Response | h11.InformationalResponse):
            reading.heads += 1
            reading.fields = [(bytes(n), bytes(v)) for n, v in event.headers]
            reading.minor_version = int(event.http_version[2:])
        return True
