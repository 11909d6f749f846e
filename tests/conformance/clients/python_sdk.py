"""Tells the story of a client with the official Python SDK, one JSON line for each step.

    python -m tests.conformance.clients.python_sdk URL legacy|auto|2026-07-28

What a step told must be the same whatever stands between client and server, so nothing that
differs from run to run (ids, times, ports) is printed. The other clients in this folder tell the
same steps with the same words.
"""

import json
import sys
import warnings
from collections.abc import Awaitable, Callable

import anyio
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.context import ClientRequestContext
from mcp.client.session import IncomingMessage

CLIENT_INFO = types.Implementation(name="story-python", version="1.2.3")
WATCHED_URI = "test://watched-resource"
STEP_SECONDS = 30.0


class Story:
    """What one client does and hears, in order."""

    def __init__(self, url: str, mode: str) -> None:
        self.updated = anyio.Event()
        self.progress_heard: list[float] = []
        self.giving_up = anyio.CancelScope()
        # No cache: the SDK would answer repeated lists by itself.
        self.client = Client(
            url,
            mode=mode,
            client_info=CLIENT_INFO,
            cache=None,
            sampling_callback=self._sample,
            elicitation_callback=self._elicit,
            message_handler=self._hear,
        )

    async def _sample(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult:
        asked = params.messages[0].content
        words = asked.text if isinstance(asked, types.TextContent) else "?"
        answer = types.TextContent(type="text", text=f"my model heard: {words}")
        return types.CreateMessageResult(role="assistant", content=answer, model="none")

    async def _elicit(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        schema = getattr(params, "requested_schema", {})
        return types.ElicitResult(
            action="accept", content=dict.fromkeys(sorted(schema["properties"]), "Ada")
        )

    async def _hear(self, message: IncomingMessage) -> None:
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
        return self.client.protocol_version >= "2026"

    async def connected(self) -> object:
        """Who the server says it is, and which revision was agreed upon."""
        info = self.client.server_info  # None where the revision was taken without asking
        return [info and info.name, info and info.version, self.client.protocol_version]

    async def lists(self) -> object:
        """Everything that the server lists."""
        return {
            "tools": [tool.name for tool in (await self.client.list_tools()).tools],
            "resources": [one.uri for one in (await self.client.list_resources()).resources],
            "templates": [
                one.uri_template
                for one in (await self.client.list_resource_templates()).resource_templates
            ],
            "prompts": [one.name for one in (await self.client.list_prompts()).prompts],
        }

    async def text(self) -> object:
        """A plain call."""
        return await self._call("test_simple_text")

    async def progress(self) -> object:
        """A call and the progress that it reported on the way."""
        hear = self._hear_progress
        result = await self.client.call_tool("test_tool_with_progress", progress_callback=hear)
        return [self.progress_heard, _texts(result)]

    async def failing(self) -> object:
        """A tool that fails, and one that is not there."""
        result = await self.client.call_tool("test_error_handling")
        return [result.is_error, _texts(result), await _code(self._call("no_such_tool"))]

    async def resource(self) -> object:
        """A resource, one of a template, and one that is not there."""
        contents: list[object] = []
        for uri in ("test://static-text", "test://template/7/data"):
            for content in (await self.client.read_resource(uri)).contents:
                assert isinstance(content, types.TextResourceContents)
                contents.append([content.uri, content.mime_type, content.text])
        return [*contents, await _code(self.client.read_resource("test://nowhere"))]

    async def prompt(self) -> object:
        """A prompt with arguments."""
        arguments = {"arg1": "one", "arg2": "two"}
        result = await self.client.get_prompt("test_prompt_with_arguments", arguments)
        contents = [message.content for message in result.messages]
        return [one.text for one in contents if isinstance(one, types.TextContent)]

    async def completion(self) -> object:
        """What an argument may be completed to."""
        ref = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        result = await self.client.complete(ref, {"name": "arg1", "value": "walk"})
        return result.completion.values

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
        if self.is_modern:
            async with self.client.listen(resource_subscriptions=[WATCHED_URI]) as changes:
                await self._call("test_trigger_resource_change")
                return [str(await anext(changes)), "closed"]
        await self.client.subscribe_resource(WATCHED_URI)
        while not self.updated.is_set():
            # Until the stream that carries it is open, the notification goes nowhere.
            await self._call("test_trigger_resource_change")
            with anyio.move_on_after(0.5):
                await self.updated.wait()
        await self.client.unsubscribe_resource(WATCHED_URI)
        return ["updated", "unsubscribed"]

    async def cancellation(self) -> object:
        """A call that would never end, given up when it has begun."""
        with anyio.CancelScope() as self.giving_up:
            await self.client.call_tool("test_wait", progress_callback=self._hear_progress)
        return self.giving_up.cancelled_caught

    async def _call(self, name: str, arguments: dict[str, object] | None = None) -> object:
        return _texts(await self.client.call_tool(name, arguments))


def _texts(result: types.CallToolResult) -> list[str]:
    return [one.text for one in result.content if isinstance(one, types.TextContent)]


async def _code(call: Awaitable[object]) -> int | None:
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
    steps: tuple[Callable[[], Awaitable[object]], ...] = (
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
    )
    async with story.client:
        for step in steps:
            with anyio.fail_after(STEP_SECONDS):
                told = await step()
            _say(step.__name__, told)
    _say("closed", None)


def main() -> None:
    """Tell the story of the server at a URL, in one mode."""
    warnings.simplefilter("ignore")  # deprecated features still have to work
    url, mode = sys.argv[1:3]
    anyio.run(_tell, url, mode)


if __name__ == "__main__":
    main()
