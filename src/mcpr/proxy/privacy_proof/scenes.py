"""What is said through the proxy: a canary in every place of an exchange, in every kind of one.

A scene plants its canaries, scripts the server's answer and asks. Places say what the words were.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from mcpr.proxy.privacy_proof.canaries import Canaries
from mcpr.proxy.privacy_proof.echo import (
    Echo,
    answer,
    call,
    error,
    events,
    notification,
    result,
)
from mcpr.proxy.privacy_proof.talk import Client

_ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
_LEGACY = "2025-11-25"
_MODERN = "2026-07-28"
#: More than the process that moves bytes decodes itself.
_LARGE = 300_000
#: How often what is common is said: heads that are known take another way than new ones.
TIMES = 3


@dataclass
class Stage:
    """Where scenes are played.

    exchanges: how many there were. session: the headers of the session. encoded: places of words
    that are not said as they are.
    """

    canaries: Canaries
    client: Client
    echo: Echo
    exchanges: int = 0
    session: dict[str, str] = field(default_factory=dict)
    encoded: set[str] = field(default_factory=set)

    def plant(
        self,
        place: str,
        *,
        local: str | None = None,
        public: str | None = None,
        is_encoded: bool = False,
    ) -> str:
        """See `Canaries.plant`. is_encoded: it is said in base64 only."""
        if is_encoded:
            self.encoded.add(place)
        return self.canaries.plant(place, local=local, public=public)

    def post(self, body: bytes, script: bytes | None, target: str = "/mcp", **headers: str) -> None:
        """A POST in the session, answered by the script; None where the proxy itself answers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.ask("POST", target, _ACCEPT | self.session | named, body, script)

    def ask(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | None,
        script: bytes | None,
    ) -> None:
        """Any request."""
        for _ in range(TIMES):
            self.echo.script = script or answer(result({}))
            self.client.ask(method, target, headers, body)
            self.exchanges += 1


def session(stage: Stage) -> None:
    """A client signs in."""
    plant = stage.plant
    session_id = plant("id of the session")
    client = {
        "name": f"Client {plant('name of the client', local='client_name')}",
        "title": plant("title of the client"),
        "version": "1.0 " + plant("version of the client, when it is none"),
        plant("unknown key of clientInfo"): 1,
    }
    params = {
        "protocolVersion": _LEGACY,
        "capabilities": {"experimental": {plant("capability of the client"): {}}},
        "clientInfo": client,
    }
    answered = {
        "protocolVersion": _LEGACY,
        "capabilities": {"experimental": {plant("capability of the server", local="body"): {}}},
        "serverInfo": {
            "name": "echo",
            "version": "1",
            "title": plant("title of the server", local="body"),
        },
        "instructions": plant("instructions of the server", local="body"),
    }
    stage.post(
        call("initialize", params), answer(result(answered), f"Mcp-Session-Id: {session_id}")
    )
    stage.session = {"Mcp-Session-Id": session_id, "MCP-Protocol-Version": _LEGACY}
    told = notification("notifications/initialized", {"_meta": {"x": plant("a notification")}})
    stage.post(told, answer(b"", status="202 Accepted"))


def tools(stage: Stage) -> None:
    """Tools are listed and called, and fail."""
    plant = stage.plant
    described = plant("description of a tool", local="body")
    listed = {"tools": [{"name": "echo", "description": described, "inputSchema": {}}]}
    stage.post(call("tools/list", {}), answer(result(listed)))
    arguments = {
        "city": plant("value of an argument"),
        plant("name of an argument"): [{"deep": plant("value of a nested argument")}],
        "name": plant("argument called name"),
        "uri": plant("argument called uri"),
    }
    meta = {
        "openai/userLocation": {"city": plant("location of the user in _meta")},
        "progressToken": plant("progress token in _meta"),
        "traceparent": plant("trace in _meta"),
        plant("unknown key of _meta"): 1,
    }
    answered = {
        "content": [{"type": "text", "text": plant("text of a result")}],
        "structuredContent": {plant("key of a result"): plant("value of a result")},
        "_meta": {"x": plant("_meta of a result")},
    }
    params = {"name": "echo", "arguments": arguments, "_meta": meta}
    stage.post(call("tools/call", params), answer(result(answered)))
    common = {"name": "echo", "arguments": {"city": plant("argument of a common call")}}
    said = {"content": [{"type": "text", "text": plant("result of a common call")}]}
    stage.post(call("tools/call", common), answer(result(said)))
    failed = {"content": [{"type": "text", "text": plant("words of a failed tool")}]}
    stage.post(call("tools/call", common), answer(result(failed | {"isError": True})))
    words = error(
        plant("message of an error", local="error_text"), plant("data of an error"), -32602
    )
    stage.post(call("tools/call", common), answer(words))
    odd = f"no plain name {plant('name of a tool that looks like none', local='subject')}"
    stage.post(call("tools/call", {"name": odd}), answer(result({})))


def large(stage: Stage) -> None:
    """Bodies that another process reads."""
    plant = stage.plant
    params = {"name": "echo", "arguments": [plant("argument in a large body"), "x" * _LARGE]}
    said = {"content": [{"type": "text", "text": plant("result in a large body") + "x" * _LARGE}]}
    stage.post(call("tools/call", params), answer(result(said)))
    picture = base64.b64encode(plant("word in base64", is_encoded=True).encode()).decode()
    stage.post(call("tools/call", {"name": "echo", "arguments": picture}), answer(result({})))


def other_methods(stage: Stage) -> None:
    """Resources, prompts, completion, and what no specification knows."""
    plant = stage.plant
    uri = f"https://{plant('host of a resource', local='subject')}.example/?key=" + plant(
        "query of a resource", local="subject"
    )
    contents = {"contents": [{"uri": "x:y", "text": plant("contents of a resource")}]}
    stage.post(call("resources/read", {"uri": uri}), answer(result(contents)))
    prompt = {
        "name": plant("name of a prompt", local="subject"),
        "arguments": {"a": plant("argument of a prompt")},
    }
    said = {"messages": [{"role": "user", "content": {"text": plant("text of a prompt")}}]}
    stage.post(call("prompts/get", prompt), answer(result(said)))
    asked = {
        "ref": {"type": "ref/prompt", "name": plant("prompt to complete", local="subject")},
        "argument": {"name": "a", "value": plant("beginning of a completion")},
    }
    completed = {"completion": {"values": [plant("end of a completion")]}}
    stage.post(call("completion/complete", asked), answer(result(completed)))
    unknown = f"x/{plant('method that nobody knows', local='raw_method')}"
    stage.post(call(unknown, {"x": plant("parameter of an unknown method")}), answer(result({})))


def both_ways(stage: Stage) -> None:
    """The server asks back in the stream of a call, and the client answers."""
    plant = stage.plant
    sampling = {
        "systemPrompt": plant("system prompt of a sampling"),
        "messages": [{"role": "user", "content": {"text": plant("message of a sampling")}}],
    }
    form = {
        "message": plant("message of an elicitation"),
        "url": f"https://example.org/?t={plant('URL of an elicitation')}",
    }
    progress = {"progressToken": 1, "progress": 1, "message": plant("message of a progress")}
    stream = events(
        notification("notifications/progress", progress),
        notification("notifications/message", {"data": plant("data of a log message")}),
        call("sampling/createMessage", sampling, 1),
        call("elicitation/create", form, 2),
        result({"content": [{"text": plant("result in a stream")}]}),
    )
    stage.post(call("tools/call", {"name": "echo", "arguments": {}}), stream)
    accepted = answer(b"", status="202 Accepted")
    stage.post(result({"content": {"text": plant("answer to a sampling")}}, 1), accepted)
    stage.post(result({"content": {"x": plant("answer to an elicitation")}}, 2), accepted)
    reason = {"requestId": 7, "reason": plant("reason of a cancellation")}
    stage.post(notification("notifications/cancelled", reason), accepted)


def modern(stage: Stage) -> None:
    """A call of the revision without sessions, answered by a question."""
    plant = stage.plant
    stage.session = {"MCP-Protocol-Version": _MODERN}
    meta = {
        "io.modelcontextprotocol/protocolVersion": _MODERN,
        "io.modelcontextprotocol/clientInfo": {
            "name": f"Client {plant('name of a modern client', local='client_name')}",
            "version": "1",
        },
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    asked = {
        "resultType": "input_required",
        "requestState": plant("state of a request that goes on"),
        "inputRequests": {"q": {"method": "elicitation/create", "params": {"message": "?"}}},
    }
    headers = {
        "Mcp_Method": "tools/call",
        "Mcp_Name": "echo",
        "Mcp_Param_City": plant("argument in a header"),
    }
    params = {"name": "echo", "arguments": {"city": plant("modern argument")}, "_meta": meta}
    stage.post(call("tools/call", params), answer(result(asked)), **headers)


def headers_and_urls(stage: Stage) -> None:
    """Heads: credentials, cookies, queries; and what is not MCP at all."""
    plant = stage.plant
    body = call("tools/call", {"name": "echo", "arguments": {}})
    head = {
        "Authorization": f"Bearer {plant('token of a client')}",
        "Cookie": f"id={plant('cookie of a client')}",
        "User_Agent": plant("user agent"),
        "Last_Event_ID": plant("last event id"),
        "X_Api_Key": plant("key in a header"),
    }
    script = answer(
        result({}),
        f"Set-Cookie: id={plant('cookie of the server')}",
        f"X-Answer: {plant('header of the server')}",
    )
    stage.post(body, script, f"/mcp?key={plant('query of a URL')}", **head)
    challenge = f'WWW-Authenticate: Bearer realm="{plant("challenge of the server")}"'
    stage.post(body, answer(plant("page of a 401").encode(), challenge, status="401 Who"))
    stage.post(body, answer(plant("page of a 500").encode(), status="500 Oops"))
    target = f"/{plant('path of a page', local='path')}?q={plant('query of a page')}"
    stage.ask("GET", target, {}, None, answer(plant("a page").encode(), kind="text/html"))
    form = f"code={plant('code of a sign-in')}&client_secret={plant('secret of a client')}"
    told = answer(f'{{"access_token":"{plant("token of a sign-in")}"}}'.encode())
    stage.ask("POST", "/oauth/token", {}, form.encode(), told)


def mistakes(stage: Stage) -> None:
    """What is wrong, refused, cut off, or said in two ways."""
    plant = stage.plant
    body = call("tools/call", {"name": "echo", "arguments": plant("argument of a cut call")})
    stage.post(body, f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{plant('cut answer')}".encode())
    stage.post(body, f"nonsense {plant('answer that is not HTTP')}\r\n\r\n".encode())
    broken = f'{{"method":"tools/call","params":"{plant("broken JSON")}'.encode()
    stage.post(broken, answer(f'{{"broken {plant("broken answer")}'.encode()))
    batch = (
        b"[" + call("tools/call", {"name": "echo", "arguments": plant("call in a batch")}) + b"]"
    )
    stage.post(batch, answer(b"[" + result(plant("result in a batch")) + b"]"))
    stage.post(body, None, Host=f"{plant('foreign host')}.example")
    stage.post(body, None, Origin=f"https://{plant('foreign origin')}.example")
    stage.client.say(f"GET /{plant('target of half a head')}\r\nX: y\r\n\r\n".encode())
    stage.exchanges += 1


def last(stage: Stage) -> None:
    """A tool whose name may be seen: it shows that the search finds what is there."""
    tool = stage.plant("name of a tool", public="tool")
    stage.post(call("tools/call", {"name": tool, "arguments": {}}), answer(result({})))


SCENES: tuple[Callable[[Stage], None], ...] = (
    session,
    tools,
    large,
    other_methods,
    both_ways,
    headers_and_urls,
    mistakes,
    modern,
    last,
)
