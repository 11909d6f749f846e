"""Scenes of MCP: what clients and servers say to each other in JSON-RPC."""

from tests.privacy.messages import (
    answer,
    call,
    error,
    event,
    events,
    notification,
    post,
    result,
    text,
)
from tests.privacy.stage import LONG, Scene, Stage

_MODERN = b"MCP-Protocol-Version: 2026-07-28"
_ACCEPTED = answer(b"", status="202 Accepted")


def a_session_begins(stage: Stage) -> None:
    plant = stage.plant
    stage.session = plant("session id")
    client = {
        "name": f"Claude {plant('name of the client', local='client_name')}{LONG}",
        "title": plant("title of the client"),
        "version": "1.0 " + plant("version of the client, no version"),
        "websiteUrl": f"https://{plant('website of the client')}.example/",
        "icons": [{"src": "data:," + plant("icon of the client")}],
        plant("key of clientInfo"): 1,
    }
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"experimental": {plant("capability of the client"): {}}},
        "clientInfo": client,
    }
    answered = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"experimental": {plant("capability of the server", local="body"): {}}},
        "serverInfo": {
            "name": plant("name of the server", local="body link server_name"),
            "version": plant("its version", local="body link server_version"),
        },
        "instructions": plant("instructions of the server", local="body"),
    }
    head = b"Mcp-Session-Id: " + stage.session.encode()
    stage.exchange(post(call("initialize", params)), answer(result(answered), head), times=2)
    words = notification("notifications/initialized", {"_meta": {"note": plant("a notification")}})
    stage.call(words, _ACCEPTED, rows="notification ok")


def a_tool_is_called(stage: Stage) -> None:
    plant = stage.plant
    arguments = {
        "city": plant("value of an argument"),
        plant("key of an argument"): [{"deep": {plant("key of a nested argument"): None}}],
        "deep": [[{"deeper": plant("value of a nested argument")}]],
        "name": plant("argument called name"),
        "uri": plant("argument called uri"),
        "_meta": {"x": plant("argument called _meta")},
    }
    meta = {
        "openai/userLocation": {"city": plant("location of the user")},
        "openai/userAgent": plant("user agent in _meta"),
        "openai/subject": plant("subject in _meta"),
        "traceparent": plant("traceparent in _meta"),
        "progressToken": plant("progress token"),
        plant("key of _meta"): plant("unknown key's value in _meta"),
    }
    answered = {
        **text(plant("text of a result")),
        "structuredContent": {plant("key of a result"): plant("structured value of a result")},
        "_meta": {"x": plant("_meta of a result")},
    }
    params = {"name": "get_weather", "arguments": arguments, "_meta": meta}
    stage.call(call("tools/call", params), answer(result(answered)))


def a_plain_tool_is_called(stage: Stage) -> None:
    """Exactly the common call, so that the code for it is what reads it."""
    plant = stage.plant
    tool = plant("name of a tool", public="tool")
    params = {"name": tool, "arguments": {"city": plant("argument of a common call")}}
    stage.call(
        call("tools/call", params),
        answer(result({"content": plant("result of a common call")})),
    )


def a_tool_fails(stage: Stage) -> None:
    plant = stage.plant
    params = {"name": "get_weather", "arguments": {"city": plant("argument of a failing call")}}
    told = {**text("Error: " + plant("text of a failing tool")), "isError": True}
    stage.call(call("tools/call", params), answer(result(told)), rows="rpc tool_error")
    words = error(
        f"No city: {plant('message of a JSON-RPC error', local='error_text')}{LONG}",
        {"trace": plant("data of a JSON-RPC error")},
    )
    stage.call(call("tools/call", params), answer(words), rows="rpc rpc_error")


def a_tool_without_a_plain_name_is_called(stage: Stage) -> None:
    plant = stage.plant
    name = f"delete {plant('name of a tool, no plain name', local='subject')}{LONG}"
    stage.call(call("tools/call", {"name": name}), answer(result({})))
    names = {
        "first": "get weather " + plant("name of a tool, the first of two"),
        "name": "get weather " + plant("name of a tool, the second of two", local="subject"),
        "Name": plant("name of a tool in another case"),
    }
    doubled = call("tools/call", names, Method=plant("method in another case"))
    stage.call(doubled.replace(b'"first"', b'"name"'), answer(result({})))
    name = plant("name of a tool with half a character", local="subject")
    torn = call("tools/call", {"name": f"{name} half"}).replace(b" half", b" \\ud800")
    stage.call(torn, answer(result({})))


def a_name_stands_where_it_names_no_tool(stage: Stage) -> None:
    """Such names look like tools to whoever reads `params.name` without reading the method."""
    for method in ("ping", "tools/list", "skills/get"):
        params = {"name": stage.plant(f"name in the parameters of {method}")}
        stage.call(call(method, params), answer(result({})))


def the_server_asks_back(stage: Stage) -> None:
    """Everything a server may send before its answer, in the stream of a call."""
    plant = stage.plant
    params = {"name": "plan_trip", "arguments": {"to": plant("argument of a streamed call")}}
    progress = {"progressToken": 1, "progress": 1, "message": plant("message of a progress")}
    sampling = {
        "systemPrompt": plant("system prompt of a sampling"),
        "messages": [{"role": "user", "content": {"text": plant("message of a sampling")}}],
    }
    form = {
        "message": plant("message of an elicitation"),
        "requestedSchema": {"properties": {plant("field of an elicitation"): {"type": "string"}}},
        "url": "https://example.org/?token=" + plant("URL of an elicitation"),
    }
    logged = {"level": "info", "data": plant("data of a logging message")}
    stream = events(
        b": " + plant("comment in a stream").encode() + b"\n\n",
        event(
            notification("notifications/progress", progress),
            b"event: " + plant("type of an event").encode(),
            b"id: " + plant("id of an event").encode(),
        ),
        event(notification("notifications/message", logged), b"retry: 1000"),
        event(call("sampling/createMessage", sampling, 1)),
        event(call("elicitation/create", form, 2)),
        event(call("roots/list", {"_meta": {"x": plant("_meta of a server's request")}}, 3)),
        event(result(text(plant("streamed result")))),
    )
    stage.call(call("tools/call", params), stream)
    failed = error(
        plant("message of a streamed error", local="error_text"), plant("data of a streamed error")
    )
    stage.call(call("tools/call", params), events(event(failed)), rows="rpc rpc_error")


def the_client_answers(stage: Stage) -> None:
    plant = stage.plant
    for answered in (
        result({"content": {"text": plant("answer to a sampling")}, "model": plant("model")}, 1),
        result({"action": "accept", "content": {"name": plant("answer to an elicitation")}}, 2),
        result({"roots": [{"uri": "file:///" + plant("root"), "name": plant("its name")}]}, 3),
        error(plant("message of a client's error"), plant("data of a client's error")),
        notification("notifications/progress", {"message": plant("progress of a client")}),
    ):
        stage.call(answered, _ACCEPTED, rows="notification ok")


def a_resource_is_read(stage: Stage) -> None:
    plant = stage.plant
    uri = "https://{}.example/{}?key={}{}".format(
        plant("host in a resource's URI", local="subject"),
        plant("path of a resource's URI", local="subject"),
        plant("query of a resource's URI", local="subject"),
        LONG,
    )
    contents = {
        "contents": [
            {"uri": plant("URI in a result"), "text": plant("text of a resource")},
            {"uri": "x:/", "blob": plant("blob of a resource")},
        ]
    }
    stage.call(call("resources/read", {"uri": uri}), answer(result(contents)))
    uri = "note://" + plant("URI of a subscription", local="subject")
    stage.call(call("resources/subscribe", {"uri": uri}), answer(result({})))
    listed = {
        "resources": [{"uri": plant("URI in a list"), "name": plant("resource in a list")}],
        "nextCursor": plant("next cursor"),
    }
    params = {"cursor": plant("cursor")}
    stage.call(call("resources/list", params), answer(result(listed)))


def a_prompt_is_used(stage: Stage) -> None:
    plant = stage.plant
    params = {
        "name": plant("name of a prompt", local="subject") + LONG,
        "arguments": {plant("key of a prompt's argument"): plant("value of a prompt's argument")},
    }
    messages = {
        "description": plant("description of a prompt"),
        "messages": [{"role": "user", "content": {"text": plant("text of a prompt")}}],
    }
    stage.call(call("prompts/get", params), answer(result(messages)))
    params = {
        "ref": {"type": "ref/prompt", "name": plant("prompt of a completion")},
        "argument": {"name": plant("argument of a completion"), "value": plant("its value")},
        "context": {"arguments": {"x": plant("context of a completion")}},
    }
    values = {"completion": {"values": [plant("value of a completion")]}}
    stage.call(call("completion/complete", params), answer(result(values)))


def tools_are_listed(stage: Stage) -> None:
    plant = stage.plant
    tool = {
        "name": plant("tool in a list", local="name names body"),
        "description": plant("description of a tool", local="body"),
        "inputSchema": {"properties": {plant("property of a tool", local="body"): {}}},
        "annotations": {"title": plant("title of a tool", local="body")},
    }
    stage.call(call("tools/list", {}), answer(result({"tools": [tool]})))


def a_message_is_odd(stage: Stage) -> None:
    plant = stage.plant
    method = f"weather/{plant('unknown method', local='raw_method')}{LONG}"
    params = {"x": plant("parameter of an unknown method")}
    stage.call(call(method, params), answer(result({})))
    request_id = plant("id of a request")
    odd = call(
        "tools/call",
        {"name": "get_weather", plant("key of params"): plant("value of an unknown key of params")},
        request_id,
        **{"jsonrpc": plant("protocol of a message"), plant("key of a message"): plant("odd")},
    )
    stage.call(odd, answer(result({}, request_id)))
    stage.call(
        call("tasks/get", {"taskId": plant("id of a task")}),
        answer(result({"statusMessage": plant("message of a task")})),
    )
    stage.call(call("logging/setLevel", {"level": plant("level")}), answer(result({})))


def a_batch_is_sent(stage: Stage) -> None:
    plant = stage.plant
    asked = [
        call("tools/call", {"name": "get_weather", "arguments": plant("argument in a batch")}, 1),
        call("resources/read", {"uri": plant("URI in a batch", local="subject")}, 2),
        notification("notifications/progress", {"message": plant("notification in a batch")}),
        call("prompts/get", {"name": plant("prompt in a batch", local="subject")}, 3),
    ]
    answered = [
        result(text(plant("result in a batch")), 1),
        error(plant("message in a batch", local="error_text"), plant("data in a batch"), -32002, 2),
        result({"messages": plant("prompt's text in a batch")}, 3),
    ]
    rows = "rpc ok, rpc rpc_error, rpc ok"
    stage.call(_batch(asked), answer(_batch(answered)), rows=rows)


def _batch(members: list[bytes]) -> bytes:
    return b"[" + b",".join(members) + b"]"


def a_request_describes_itself(stage: Stage) -> None:
    """The modern era: no session, the client in each request, questions in results."""
    plant = stage.plant
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {plant("modern capability"): {}},
        "io.modelcontextprotocol/clientInfo": {
            "name": plant("name of a modern client", local="client_name"),
            "title": plant("title of a modern client"),
            "version": plant("version of a modern client", public="client_version"),
        },
    }
    params = {
        "name": "get_weather",
        "arguments": {"city": plant("argument of a modern call")},
        "inputResponses": {"q": {"content": {"x": plant("input response")}}},
        "requestState": plant("request state"),
        "_meta": meta,
    }
    answered = {
        "resultType": "input_required",
        "inputRequests": {"q": {"params": {"message": plant("input request")}}},
        "requestState": plant("request state of a result"),
    }
    headers = [
        _MODERN,
        b"Mcp-Method: " + plant("mirrored method").encode(),
        b"Mcp-Name: " + plant("mirrored name").encode(),
        b"Mcp-Param-City: " + plant("mirrored argument").encode(),
    ]
    asked = post(call("tools/call", params), *headers)
    stage.exchange(asked, answer(result(answered)), times=3)
    params = {"_meta": meta, "x": plant("parameter of a discovery")}
    refused = error(plant("message of a probe", local="error_text"), None, -32601)
    stage.exchange(
        post(call("server/discover", params), _MODERN), answer(refused), rows="rpc probe"
    )


SCENES: tuple[Scene, ...] = (
    a_session_begins,
    a_tool_is_called,
    a_plain_tool_is_called,
    a_tool_fails,
    a_tool_without_a_plain_name_is_called,
    a_name_stands_where_it_names_no_tool,
    the_server_asks_back,
    the_client_answers,
    a_resource_is_read,
    a_prompt_is_used,
    tools_are_listed,
    a_message_is_odd,
    a_batch_is_sent,
    a_request_describes_itself,
)
