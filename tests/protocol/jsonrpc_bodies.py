"""Short ways to read a JSON-RPC body in tests, and bodies that are none."""

from msgspec import Raw, UnsetType

from mcpr.protocol.jsonrpc import Answer, Message, read_answers, read_messages

BOM = b"\xef\xbb\xbf"


def read_one(body: bytes) -> Message:
    (message,) = read_messages(body)
    return message


def answer(body: bytes) -> Answer:
    (found,) = read_answers(body)
    return found


def text_of(raw: Raw | UnsetType) -> str | None:
    return None if isinstance(raw, UnsetType) else bytes(raw).decode()


#: Neither a client's message nor a server's, `method` being what an answer's `result` is.
NEITHER = {
    "nothing": b"",
    "whitespace": b" \n",
    "byte order mark": BOM,
    "text": b"hello",
    "HTML": b"<html></html>",
    "a number": b"5",
    "a string": b'"method"',
    "null": b"null",
    "true": b"true",
    "empty batch": b"[]",
    "empty batch with blanks": b" [ ] ",
    "batch of numbers": b"[1,2]",
    "batch of batches": b'[[{"id":1,"method":"m"}]]',
    "batch with null": b'[{"id":1,"method":"m"},null]',
    "truncated": b'{"id":1,"method":"m"',
    "truncated in a string": b'{"id":1,"method":"m',
    "truncated in an escape": rb'{"id":1,"method":"\u00',
    "truncated batch": b'[{"id":1,"method":"m"}',
    "garbage after it": b'{"id":1,"method":"m"} x',
    "two objects": b'{"id":1,"method":"m"}{"id":2,"method":"m"}',
    "a line of objects": b'{"id":1,"method":"m"}\n{"id":2,"method":"m"}',
    "NUL after it": b'{"id":1,"method":"m"}\0',
    "comma at the end": b'{"id":1,"method":"m",}',
    "comment": b'{"id":1,/* */"method":"m"}',
    "single quotes": b"{'id':1,'method':'m'}",
    "UTF-16": '{"id":1,"method":"m"}'.encode("utf-16"),
    "deep nesting": b'{"id":1,"method":"m","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep nesting, not closed": b"[" * 100_000,
    "deep id": b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b',"method":"m"}',
}
