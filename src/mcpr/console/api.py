"""The questions as JSON: the filters and the form of the CLI's `-o json`, over HTTP."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mcpr.console import asking
from mcpr.console.answers import ANSWERS, Answer, NotFound
from mcpr.console.pool import Busy, Pool
from mcpr.console.problem import as_json, problem_of
from mcpr.errors import McprError, UsageError
from mcpr.store import EventStore, forms
from mcpr.store.questions import LogRow

_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Api:
    """Answers questions. now_ms: the clock."""

    pool: Pool
    now_ms: Callable[[], int]

    async def index(self, _: Request) -> Response:
        """The questions there are, and what each takes."""
        listed = [
            {"question": answer.name, "parameters": [*answer.takes, "output"]}
            for answer in ANSWERS.values()
        ]
        return Response(forms.as_json({"questions": listed}), media_type=_TYPES["json"])

    async def answer(self, request: Request) -> Response:
        """One question's answer."""
        pairs = request.query_params.multi_items()
        name = request.path_params["question"]
        try:
            answer = ANSWERS.get(name)
            if answer is None:
                raise NotFound(
                    f"there is no question {name[:40]!r}",
                    "it is none of mcpr's",
                    f"ask one of {', '.join(ANSWERS)}",
                )
            known = (*answer.takes, "output")
            ask = asking.read(pairs, self.now_ms(), answer.since, known)
            form = ask.get("output") or "json"
            if form not in _TYPES:
                raise UsageError(
                    f"cannot answer as {form[:40]!r}",
                    "there is no such form",
                    f"there are: {', '.join(_TYPES)}",
                    "usage.parameter",
                )
            body, tag = await self.pool.ask(lambda store: _document(store, answer, ask, form))
        except (McprError, Busy) as error:
            return as_json(problem_of(error))
        headers = {"etag": tag, "cache-control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if form != "json":
            headers["content-disposition"] = f'attachment; filename="mcpr-{answer.name}.{form}"'
        return Response(body, headers=headers, media_type=_TYPES[form])


def _document(store: EventStore, answer: Answer, ask: asking.Ask, form: str) -> tuple[str, str]:
    """The answer and its tag. Weak: the window of two answers may differ where no row does."""
    rows = answer.ask(store, ask)
    text = forms.as_ndjson(rows)
    tag = hashlib.sha256(f"{form} {text}".encode()).hexdigest()[:24]
    if form == "csv":
        text = forms.as_csv(answer.row, rows, has_head=True)
    elif form == "json":
        facts = {}
        if "before" in answer.takes:
            last = rows[-1] if rows else None
            # More may follow a full page.
            is_full = isinstance(last, LogRow) and len(rows) >= (ask.limit or 50)
            facts["next"] = f"{last.ts_ms}-{last.seq}" if last is not None and is_full else None
        window = ask.window if answer.has_window else None
        text = forms.document(answer.name, rows, window, facts)
    return text, f'W/"{tag}"'
