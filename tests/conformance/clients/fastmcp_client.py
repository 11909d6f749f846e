"""Tells the story of a client with FastMCP, one JSON line for each step.

    python fastmcp_client.py URL legacy|auto|2026-07-28

It runs in an environment of its own (requirements/fastmcp.lock), so it imports nothing of ours.
The steps and their words are those of python_sdk.py.
"""

import asyncio
import json
import sys
import warnings
from contextlib import suppress
from typing import Any

import anyio
import mcp_types as types
from fastmcp import Client  # type: ignore[import-not-found]  # has an environment of its own
from mcp import MCPError
from mcp.client.subscriptions import listen

CLIENT_INFO = types.Implementation(name="story-fastmcp", version="1.2.3")
WATCHED_URI = "test://watched-resource"
STEP_SECONDS = 30.0


async def _sample(messages: Any, _params: Any, _context: Any) -> str:
    return f"my model heard: {messages[0].content.text}"


async def _elicit(_message: str, _type: Any, params: Any, _context: Any) -> dict[str, str]:
    return dict.fromkeys(sorted(params.requested_schema["properties"]), "Ada")


class Story:
    """What one client does and hears, in order."""

    def __init__(self, url: str, mode: str) -> None:
        self.updated = asyncio.Event()
        self.progress_heard: list[float] = []
        self.giving_up = anyio.CancelScope()
        self.client = Client(
            url,
            mode=mode,
            client_info=CLIENT_INFO,
            sampling_handler=_sample,
            elicitation_handler=_elicit,
            message_handler=self._hear,
        )

    async def _hear(self, message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            self.updated.set()

    async def _hear_progress(
        self, progress: float, total: float | None, message: str | None
    ) -> None:
        self.progress_heard.append(progress)
        self.giving_up.cancel()

    @property
    def is_modern(self) -> bool:
        """Whether the stateless revision was agreed upon."""
        return str(self.client.protocol_version) >= "2026"

    async def connected(self) -> object:
        """Who the server says it is, and which revision was agreed upon."""
        info = self.client.server_info  # None where the revision was taken without asking
        return [info and info.name, info and info.version, self.client.protocol_version]

    async def lists(self) -> object:
        """Everything that the server lists."""
        templates = await self.client.list_resource_templates()
        return {
            "tools": [one.name for one in await self.client.list_tools()],
            "resources": [str(one.uri) for one in await self.client.list_resources()],
            "templates": [one.uri_template for one in templates],
            "prompts": [one.name for one in await self.client.list_prompts()],
        }

    async def text(self) -> object:
        """A plain call."""
        return await self._call("test_simple_text")

    async def progress(self) -> object:
        """A call and the progress that it reported on the way."""
        hear = self._hear_progress
        texts = await self._call("test_tool_with_progress", progress_handler=hear)
        return [self.progress_heard, texts]

    async def failing(self) -> object:
        """A tool that fails, and one that is not there."""
        result = await self.client.call_tool("test_error_handling", raise_on_error=False)
        return [result.is_error, _texts(result), await _code(self._call("no_such_tool"))]

    async def resource(self) -> object:
        """A resource, one of a template, and one that is not there."""
        contents: list[object] = []
        for uri in ("test://static-text", "test://template/7/data"):
            read = await self.client.read_resource(uri)
            contents.extend([str(one.uri), one.mime_type, one.text] for one in read)
        return [*contents, await _code(self.client.read_resource("test://nowhere"))]

    async def prompt(self) -> object:
        """A prompt with arguments."""
        arguments = {"arg1": "one", "arg2": "two"}
        result = await self.client.get_prompt("test_prompt_with_arguments", arguments)
        return [message.content.text for message in result.messages]

    async def completion(self) -> object:
        """What an argument may be completed to."""
        ref = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        result = await self.client.complete(ref, {"name": "arg1", "value": "walk"})
        return result.values

    async def asked(self) -> object:
        """Tools that ask back: the user, and the model."""
        if self.is_modern:
            return [
                await self._call("test_input_required_result_elicitation"),
                await self._call("test_input_required_result_sampling"),
                await self._call("test_input_required_result_multi_round"),
            ]
        return [
            await self._call("test_elicitation", {"message": "who?"}),
            await self._call("test_sampling", {"prompt": "what?"}),
        ]

    async def reconnection(self) -> object:
        """A call whose stream the server closes; the answer comes on another one."""
        return await self._call("test_reconnection")

    async def subscription(self) -> object:
        """A change of a resource that was subscribed to."""
        session = self.client.session
        if self.is_modern:
            async with listen(session, resource_subscriptions=[WATCHED_URI]) as changes:
                await self._call("test_trigger_resource_change")
                return [str(await anext(changes)), "closed"]
        await session.subscribe_resource(WATCHED_URI)
        while not self.updated.is_set():
            # Until the stream that carries it is open, the notification goes nowhere.
            await self._call("test_trigger_resource_change")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.updated.wait(), 0.5)
        await session.unsubscribe_resource(WATCHED_URI)
        return ["updated", "unsubscribed"]

    async def cancellation(self) -> object:
        """A call that would never end, given up when it has begun."""
        with anyio.CancelScope() as self.giving_up:
            await self._call("test_wait", progress_handler=self._hear_progress)
        return self.giving_up.cancelled_caught

    async def _call(self, name: str, arguments: Any = None, **options: Any) -> object:
        return _texts(await self.client.call_tool(name, arguments, **options))


def _texts(result: Any) -> list[str]:
    return [one.text for one in result.content if one.type == "text"]


async def _code(call: Any) -> int | None:
    try:
        await call
    except MCPError as error:
        return error.code
    return None


def _say(step: str, told: object) -> None:
    sys.stdout.write(f"{json.dumps([step, told])}\n")
    sys.stdout.flush()


async def _tell(url: str, mode: str) -> None:
    story = Story(url, mode)
    async with story.client:
        for step in (
            story.connected,
            story.lists,
            story.text,
            story.progress,
            story.failing,
            story.resource,
            story.prompt,
            story.completion,
            story.asked,
            story.reconnection,
            story.subscription,
            story.cancellation,
        ):
            told = await asyncio.wait_for(step(), STEP_SECONDS)
            _say(step.__name__, told)
    _say("closed", None)


def main() -> None:
    """Tell the story of the server at a URL, in one mode."""
    warnings.simplefilter("ignore")  # deprecated features still have to work
    asyncio.run(_tell(*sys.argv[1:3]))


if __name__ == "__main__":
    main()
