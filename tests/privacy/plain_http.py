"""Scenes of HTTP: heads, queries, OAuth, bodies in every framing and coding, or without JSON."""

import gzip

from tests.privacy.messages import (
    CHUNKED,
    EVENTS,
    answer,
    call,
    chunks,
    dumps,
    error,
    event,
    post,
    request,
    result,
    text,
)
from tests.privacy.stage import LONG, Scene, Stage

#: More than what is decoded where calls travel.
_LARGE = 300_000
_PLAIN = b"Content-Type: text/plain"
_FORM = b"Content-Type: application/x-www-form-urlencoded"


def headers_carry_secrets(stage: Stage) -> None:
    plant = stage.plant
    secret = [
        f"{name}: {before}{plant(f'request header {name}')}".encode()
        for name, before in (
            ("Authorization", "Bearer "),
            ("Cookie", "sid="),
            ("DPoP", ""),
            ("Proxy-Authorization", "Basic "),
            ("X-Api-Key", ""),
            ("X-Custom", ""),
            ("User-Agent", "Mozilla/5.0 "),
            ("Referer", "https://chat.example/"),
            ("X-Forwarded-For", "198.51.100.7, "),
            ("Forwarded", "for="),
            ("X-Real-IP", ""),
            ("traceparent", "00-"),
            ("tracestate", "vendor="),
            ("baggage", "user="),
            ("Last-Event-ID", ""),
            ("MCP-Protocol-Version", "2025-11-25"),
            ("Mcp-Param-City", ""),
            ("Accept-Language", "nb, "),
            ("If-None-Match", ""),
        )
    ]
    secret.append(f"X-{plant('name of a request header')}: 1".encode())
    charset = plant("parameter of a request's media type")
    secret.append(f"Content-Type: application/json; charset={charset}".encode())
    told = [
        f"{name}: {plant(f'answer header {name}')}".encode()
        for name in ("Set-Cookie", "ETag", "Server", "X-Custom", "Location", "Link", "DPoP-Nonce")
    ]
    told.append(f"X-{plant('name of an answer header')}: 1".encode())
    kind = f"Content-Type: application/json; x={plant('parameter of an answer media type')}"
    status = f"200 {plant('reason phrase')}"
    told_answer = answer(result(text("fine")), *told, status=status, kind=kind.encode())
    hint = f"HTTP/1.1 103 Early Hints\r\nLink: <{plant('interim header')}>\r\n\r\n".encode()
    asked = call("tools/call", {"name": "get_weather"})
    stage.exchange(post(asked, stage.in_session, *secret), hint + told_answer, times=2)
    # Without what is never remembered: this head takes the fast way the second time.
    common = [line for line in secret if line.startswith((b"X-Custom", b"User-Agent", b"Accept-L"))]
    stage.exchange(post(asked, stage.in_session, *common), told_answer, times=3)


def targets_carry_secrets(stage: Stage) -> None:
    plant = stage.plant
    target = f"/mcp/{plant('path of a call')}?token={plant('query of a call')}"
    asked = call("tools/call", {"name": "get_weather"})
    stage.exchange(post(asked, stage.in_session, target=target), answer(result({})), times=3)
    path = f"/files/{plant('path of plain HTTP', local='path')}{LONG}"
    target = f"{path}?k={plant('query of plain HTTP')}"
    stage.exchange(
        request("GET", target, None),
        answer(plant("body of a page").encode(), kind=_PLAIN),
        rows="http ok",
        times=2,
    )
    absolute = f"http://127.0.0.1/?k={plant('query of an absolute target')}"
    stage.exchange(request("GET", absolute, None), answer(b""), rows="http ok")
    method = f"BREW{plant('method of HTTP', local='http_method')}{LONG}"
    stage.exchange(request(method, "/", None), answer(b""), rows="http ok")
    stage.exchange(
        request("DELETE", f"/mcp?k={plant('query of a DELETE')}", None, stage.in_session),
        answer(b""),
        rows="http ok",
    )


def somebody_signs_in(stage: Stage) -> None:
    plant = stage.plant
    for page in ("oauth-protected-resource", "oauth-authorization-server", "openid-configuration"):
        target = f"/.well-known/{page}?k={plant(f'query of {page}')}"
        body = dumps({"issuer": plant(f"metadata of {page}")})
        stage.exchange(request("GET", target, None), answer(body), rows="oauth ok")
    back = f"/callback?code={plant('code')}&state={plant('state')}"
    there = f"https://as.example/?code_challenge={plant('challenge in a redirect')}"
    stage.exchange(
        request("GET", f"/authorize?redirect_uri=x&state={plant('state of a request')}", None),
        answer(b"", f"Location: {there}".encode(), status="302 Found"),
        rows="http ok",
    )
    stage.exchange(request("GET", back, None), answer(b""), rows="http ok")
    form = f"grant_type=authorization_code&code={plant('code in a form')}&client_secret=" + plant(
        "client secret"
    )
    tokens = dumps({"access_token": plant("access token")})
    stage.exchange(
        request("POST", "/token", form.encode(), kind=_FORM), answer(tokens), rows="http ok"
    )
    names = dumps({"client_name": plant("registered client")})
    secret = dumps({"client_secret": plant("registered secret")})
    stage.exchange(post(names, target="/register"), answer(secret), rows="http ok")


def bodies_are_no_json(stage: Stage) -> None:
    plant = stage.plant
    for kind in ("text/plain", "application/octet-stream", "multipart/form-data; boundary=x"):
        stage.exchange(
            request(
                "POST",
                "/mcp",
                f"--x\r\n\r\n{plant(f'body of {kind}')}".encode(),
                f"Content-Type: {kind}".encode(),
            ),
            answer(plant(f"answer to {kind}").encode(), kind=_PLAIN),
            rows="http ok",
        )
    params = {"name": plant("tool in broken JSON"), "arguments": plant("broken JSON")}
    stage.call(
        call("tools/call", params)[:-2],
        answer(error(plant("message about broken JSON"), None, -32700), status="400 Bad Request"),
        rows="http http_error",
    )
    wide = call("tools/call", {"name": plant("JSON in UTF-16")}).decode().encode("utf-16")
    stage.call(wide, answer(b"{}", status="400 Bad Request"), rows="http http_error")
    stage.call(
        dumps(plant("JSON without a message")),
        answer(dumps(plant("answer without a message"))),
        rows="http ok",
    )
    not_a_number = call("tools/call", {"x": float("nan"), "y": plant("beside NaN")})
    stage.call(not_a_number, answer(result({})))


def bodies_come_in_pieces(stage: Stage) -> None:
    plant = stage.plant
    asked = call("tools/call", {"arguments": plant("argument in chunks"), "name": "get_weather"})
    extension = f';x="{plant("extension of a request chunk")}"'.encode()
    trailer = f"X-Sum: {plant('trailer of a request')}\r\n".encode()
    told = result(text(plant("result in chunks")))
    stage.exchange(
        request("POST", "/mcp", None, CHUNKED, stage.in_session, kind=b"Content-Type: text/json")
        + chunks(plant("chunks of another type").encode()),
        answer(b""),
        rows="http ok",
    )
    stage.exchange(
        post(b"", CHUNKED, stage.in_session)
        + chunks(asked[:40], asked[40:], extension=extension, trailer=trailer),
        answer(None, CHUNKED)
        + chunks(
            told[:30],
            told[30:],
            extension=f";y={plant('extension of an answer chunk')}".encode(),
            trailer=f"X-Sum: {plant('trailer of an answer')}\r\n".encode(),
        ),
        times=2,
    )


def bodies_are_compressed(stage: Stage) -> None:
    plant = stage.plant
    packed = gzip.compress(call("tools/call", {"name": plant("compressed call")}))
    stage.exchange(
        post(packed, b"Content-Encoding: gzip"), answer(result({})), rows="http ok", times=2
    )
    asked = call("tools/call", {"name": "get_weather"})
    coded = b"Content-Encoding: gzip"
    stage.call(asked, answer(gzip.compress(result(text(plant("compressed result")))), coded))
    words = error(
        plant("compressed message", local="error_text"), plant("data of a compressed error")
    )
    stage.call(asked, answer(gzip.compress(words), coded), rows="rpc rpc_error")
    unread = answer(plant("result in br").encode(), b"Content-Encoding: br")
    stage.call(asked, unread, rows="rpc unread")
    odd = f"Content-Encoding: {plant('unknown coding')}".encode()
    stage.call(asked, answer(b"?", odd), rows="rpc unread")


def bodies_are_large(stage: Stage) -> None:
    """These are decoded in the other process."""
    plant = stage.plant

    def large(place: str) -> dict[str, str]:
        return {"first": plant(place), "filler": "x" * _LARGE, "last": plant(f"{place}, its end")}

    params = {
        "name": "get the weather " + plant("tool of a large call", local="subject"),
        "arguments": large("argument of a large call"),
        "_meta": {"x": plant("_meta of a large call")},
    }
    asked = post(call("tools/call", params), stage.in_session)
    words = error(
        plant("message of a large error", local="error_text"), large("data of a large error")
    )
    stage.exchange(asked, answer(result(large("large result"))))
    stage.exchange(asked, answer(words), rows="rpc rpc_error")
    small = post(call("tools/call", {"name": "get_weather"}), stage.in_session)
    stage.exchange(
        small, answer(result({**large("failing result"), "isError": True})), rows="rpc tool_error"
    )
    stream = answer(None, CHUNKED, kind=EVENTS)
    told = event(result(large("large event")))
    stage.exchange(small, stream + chunks(told[:100_000], told[100_000:]))
    uri = "note://" + plant("URI of a large resource", local="subject")
    read = post(call("resources/read", {"uri": uri}), stage.in_session)
    packed = gzip.compress(result(large("large compressed result")))
    stage.exchange(read, answer(packed, b"Content-Encoding: gzip"))


SCENES: tuple[Scene, ...] = (
    headers_carry_secrets,
    targets_carry_secrets,
    somebody_signs_in,
    bodies_are_no_json,
    bodies_come_in_pieces,
    bodies_are_compressed,
    bodies_are_large,
)
