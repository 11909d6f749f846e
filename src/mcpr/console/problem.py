"""How a request that cannot be answered is answered: what, why, the next step (RFC 9457)."""

import json
from dataclasses import dataclass

from starlette.responses import Response

from mcpr.console.answers import NotFound
from mcpr.console.pool import Busy
from mcpr.errors import McprError, StoreError, UsageError


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure. code: of `mcpr explain`. retry_seconds: when it is worth asking again."""

    status: int
    what: str
    why: str
    step: str
    code: str
    retry_seconds: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Those that belong to it."""
        return {} if self.retry_seconds is None else {"retry-after": str(self.retry_seconds)}


def problem_of(error: McprError | Busy) -> Problem:
    """Whose doing it is, as a status."""
    if isinstance(error, Busy):
        step = f"ask again in {error.seconds} s, or for a shorter time"
        return Problem(503, "cannot answer now", error.why, step, "console.busy", error.seconds)
    status = 500
    if isinstance(error, NotFound):
        status = 404
    elif isinstance(error, UsageError):
        status = 400
    elif isinstance(error, StoreError):
        status = 503
    retry = 5 if status == 503 else None
    return Problem(status, error.what, error.why, error.next_step, error.code, retry)


def as_json(problem: Problem) -> Response:
    """The problem for programs."""
    body = {
        "type": "about:blank",
        "title": problem.what,
        "status": problem.status,
        "detail": f"{problem.why}. {problem.step[:1].upper()}{problem.step[1:]}.",
        "code": problem.code,
    }
    return Response(
        json.dumps(body) + "\n",
        problem.status,
        problem.headers,
        media_type="application/problem+json",
    )
