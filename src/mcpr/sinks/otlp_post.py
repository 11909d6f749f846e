"""One request to an OpenTelemetry collector, and what its answer means.

Follows no redirect, heeds no proxy of the environment, repeats nothing of what the collector says.
Source: OTLP 1.x, section OTLP/HTTP.
"""

import http.client
import ssl
import time
from typing import Final

import msgspec

from mcpr.errors import McprError

RETRYABLE: Final = frozenset((429, 502, 503, 504))
_MOST_WAIT_SECONDS: Final = 30.0
_MOST_ANSWER: Final = 65_536


class Target(msgspec.Struct, frozen=True):
    """Where to send, and as what. timeout, interval: seconds."""

    scheme: str
    host: str
    port: int
    path: str
    headers: dict[str, str]
    timeout: float
    interval: float
    service_name: str

    def __repr__(self) -> str:
        return f"<Target {self.scheme}://{self.host}:{self.port}>"


class Refused(Exception):
    """The collector does not want this, now or later. reason: for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Poster:
    """Sends to one collector."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._not_before = 0.0
        self._tls = ssl.create_default_context() if target.scheme == "https" else None

    def post(self, path: str, body: bytes, seconds: float | None = None) -> bytes:
        """The answer's body. Raises McprError when it may be sent again, Refused when not.

        seconds: how long it may take, if not as long as the settings say.
        """
        wait = self._not_before - time.monotonic()
        if wait > 0:
            raise self._trouble(f"the collector asked for {wait:.0f} s of silence")
        target = self._target
        limit = target.timeout if seconds is None else min(seconds, target.timeout)
        connection: http.client.HTTPConnection
        if self._tls is not None:
            connection = http.client.HTTPSConnection(
                target.host, target.port, timeout=limit, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(target.host, target.port, timeout=limit)
        headers = {**target.headers, "Content-Type": "application/x-protobuf"}
        try:
            connection.request("POST", target.path + path, body, headers)
            answer = connection.getresponse()
            said = answer.read(_MOST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise self._trouble(_reason(error)) from error
        finally:
            connection.close()
        if 200 <= answer.status < 300:
            return said
        if answer.status not in RETRYABLE:
            raise Refused(f"the collector answers with {answer.status}")
        asked = answer.headers.get("retry-after", "")
        if asked.isdecimal():
            self._not_before = time.monotonic() + min(float(asked[:9]), _MOST_WAIT_SECONDS)
        raise self._trouble(f"the collector answers with {answer.status}")

    def _trouble(self, reason: str) -> McprError:
        target = self._target
        return McprError(
            f"cannot export to {target.scheme}://{target.host}:{target.port}",
            reason,
            "see whether the collector runs, and [otlp] endpoint",
            "otlp.collector",
        )


def _reason(error: Exception) -> str:
    # The text of the exception may repeat what somebody sent.
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"it does not speak HTTP ({type(error).__name__})"
