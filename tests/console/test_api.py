"""The questions as JSON: the CLI's bytes, tags, problems; docs/reference/api.md lists them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.console.site import HOSTILE, NOW_MS, Site, a_filled_store, console, ten_calls
from tests.store.building import a_store

from mcpr.cli import main
from mcpr.console.answers import ANSWERS
from mcpr.store import forms

ROOT = Path(__file__).resolve().parents[2]
NEEDS = {"schema_diff": "?from=1&to=2", "error": "?group=GROUP", "session": "?session=0123456789ab"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_filled_store(tmp_path_factory.mktemp("api") / "s.db", ten_calls())


@pytest.fixture(scope="module")
def site(store: Path) -> Iterator[Site]:
    with console(store) as site:
        yield site


def path_of(site: Site, name: str) -> str:
    query = NEEDS.get(name, "")
    if "GROUP" in query:
        query = query.replace("GROUP", site.ask("/api/v1/errors").json["rows"][0]["id"][:6])
    return f"/api/v1/{name}{query}"


@pytest.mark.parametrize("name", ANSWERS)
def test_every_question_answers_in_every_form(name: str, site: Site) -> None:
    path = path_of(site, name)
    answer = site.ask(path)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["question"] == name
    rows = answer.json["rows"]
    mark = "&" if "?" in path else "?"
    lines = site.ask(f"{path}{mark}output=ndjson").text.splitlines()
    assert [json.loads(line) for line in lines] == rows
    table = site.ask(f"{path}{mark}output=csv")
    assert "attachment" in table.headers["content-disposition"]
    assert len(list(csv.reader(io.StringIO(table.text)))) == len(rows) + 1


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["tools"], "/api/v1/tools"),
        (["summary"], "/api/v1/summary"),
        (["servers"], "/api/v1/servers"),
        (["slow", "-n", "3"], "/api/v1/slow?limit=3"),
        (["errors", "--since", "7d"], "/api/v1/errors?since=7d"),
        (["schema"], "/api/v1/schema"),
        (["clients"], "/api/v1/clients"),
        (["sessions"], "/api/v1/sessions"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_rows_are_those_of_the_command_of_that_name(
    command: list[str],
    path: str,
    site: Site,
    store: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*command, "-o", "json", "--db", str(store)], lambda: NOW_MS) == 0
    told = json.loads(capsys.readouterr().out)
    assert site.ask(path).json["rows"] == told["rows"]


def test_an_answer_that_is_known_already_is_not_sent_again(site: Site) -> None:
    first = site.ask("/api/v1/tools")
    tag = first.headers["etag"]
    again = site.ask("/api/v1/tools", If_None_Match=tag)
    assert (again.status, again.text) == (304, "")
    assert site.ask("/api/v1/tools?since=1s", If_None_Match=tag).status == 200


def test_the_log_goes_on_where_a_page_ended(site: Site) -> None:
    seen: list[int] = []
    following = None
    while True:
        more = f"&before={following}" if following else ""
        answer = site.ask(f"/api/v1/log?since=7d&limit=3{more}").json
        seen += [row["seq"] for row in answer["rows"]]
        following = answer["next"]
        if following is None:
            break
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/nonsense", 404),
        ("/api/v1/error?group=000000", 404),
        ("/api/v1/tools?colour=red", 400),
        ("/api/v1/tools?output=xml", 400),
        ("/api/v1/tools?since=yesterday", 400),
        ("/api/v1/tools?since=1h&until=2h", 400),
        ("/api/v1/latency?by=moon", 400),
        ("/api/v1/latency?since=90d&step=1ms", 400),
        ("/api/v1/log?limit=100000", 400),
        ("/api/v1/log?before=here", 400),
        ("/api/v1/log?errors=maybe", 400),
        ("/api/v1/schema_diff", 400),
        ("/api/v1/schema_diff?from=1&to=99", 400),
        ("/api/v1/error", 400),
    ],
)
def test_what_cannot_be_answered_is_a_problem_with_a_next_step(
    path: str, status: int, site: Site
) -> None:
    """RFC 9457."""
    answer = site.ask(path)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith(".")
    assert problem["code"].startswith("usage.")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_come_out_as_ascii(name: str, tmp_path: Path) -> None:
    from tests.events.building import an_event  # noqa: PLC0415

    events = [an_event(ts_ms=NOW_MS - 1, tool=name[:200])]
    with console(a_store(tmp_path / "s.db", events)) as site:
        answer = site.ask("/api/v1/tools")
        assert answer.text.isascii()
        assert answer.json["rows"][0]["tool"] == name[:200]


def test_a_text_that_a_spreadsheet_would_obey_is_quoted() -> None:
    from mcpr.store.questions import UseRow  # noqa: PLC0415

    row = UseRow("s", "=cmd()", "ok", 1, 0, None, None, None, None, "")
    assert "'=cmd()" in forms.as_csv(UseRow, [row], has_head=False)


def test_the_reference_lists_every_question_with_its_parameters(site: Site) -> None:
    page = (ROOT / "docs/reference/api.md").read_text()
    told = {
        match[1]: set(re.findall(r"`([a-z]+)`", match[2]))
        for match in re.finditer(r"^\| `/api/v1/([a-z_]+)` \|([^|]*)\|", page, re.MULTILINE)
    }
    listed = site.ask("/api/v1/").json["questions"]
    assert told == {one["question"]: set(one["parameters"]) - {"output"} for one in listed}
    assert list(told) == list(ANSWERS)
