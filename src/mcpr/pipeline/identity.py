"""Who calls: the client's family, and a name for its session that is not the session's secret.

Everything a client says of itself is a claim. What may leave the machine is the slug of a family we
know, never the text that was sent.
"""

import hashlib

from mcpr.events import Detail
from mcpr.pipeline.retries import Retries
from mcpr.protocol.mcp import bounded_version
from mcpr.protocol.results import Implementation

#: How a `clientInfo.name` begins, in lower case → slug of the family. The first match counts, so a
#: longer name stands before its own beginning. Source: names seen on the wire, 2026;
#: docs/reference/clients.md has them for people.
CLIENTS: tuple[tuple[str, str], ...] = (
    ("openai-mcp", "chatgpt"),
    ("chatgpt", "chatgpt"),
    ("claude-code", "claude-code"),
    ("claude", "claude"),
    ("anthropic", "claude"),
    ("codex", "codex"),
    ("cursor", "cursor"),
    ("visual studio code", "vscode"),
    ("visual-studio-code", "vscode"),
    ("vscode", "vscode"),
    ("ms-copilot", "m365-copilot"),
    ("github-copilot", "github-copilot"),
    ("jetbrains", "jetbrains"),
    ("xcode", "xcode"),
    ("gemini", "gemini"),
    ("antigravity", "antigravity"),
    ("goose", "goose"),
    ("windsurf", "windsurf"),
    ("cline", "cline"),
    ("roo-code", "roo-code"),
    ("kilo-code", "kilo-code"),
    ("continue", "continue"),
    ("zed", "zed"),
    ("opencode", "opencode"),
    ("amp-mcp-client", "amp"),
    ("factory", "factory"),
    ("q-dev-cli", "amazon-q"),
    ("slackbot", "slack"),
    ("notion", "notion"),
    ("@n8n/", "n8n"),
    ("bedrock-agentcore", "agentcore"),
    ("@librechat/", "librechat"),
    ("postman", "postman"),
    ("com.raycast", "raycast"),
    ("grok", "grok"),
    ("inspector", "inspector"),
    ("mcp-inspector", "inspector"),
    ("conformance-test-client", "conformance"),
    ("fastmcp", "fastmcp"),
)
#: Names too short to begin only their own family's: these must be the whole name.
WHOLE_NAMES = {"mcp": "python-sdk"}

OTHER_CLIENT = "other"
_MAX_REMEMBERED = 4096
_MAX_NAME = 128
#: What is longer is worked out each time: the memories are bounded in bytes, too.
_MAX_KEY = 256


class Caller:
    """Who sends a request, as far as it said so.

    client: slug or `other`. version: bounded, or None. name: as it was sent, for this machine only.
    detail: the local part of a row of which no more is to be said.
    is_over: the session that it opened has ended.
    """

    __slots__ = ("client", "detail", "is_over", "name", "revision", "version")

    def __init__(
        self,
        client: str | None = None,
        version: str | None = None,
        name: str | None = None,
        revision: str | None = None,
    ) -> None:
        self.client = client
        self.version = version
        self.name = name
        self.revision = revision
        self.is_over = False
        self.detail = None if name is None else Detail(client_name=name)

    def is_same(self, other: "Caller") -> bool:
        """Whether the other one says the same of itself."""
        return (self.client, self.version, self.name) == (other.client, other.version, other.name)

    def __repr__(self) -> str:
        return f"<Caller {self.client} {self.version} {self.revision}>"


NOBODY = Caller()


def family(name: str) -> str:
    """The slug of a client's name."""
    folded = name.strip().lower()
    for start, slug in CLIENTS:
        if folded.startswith(start):
            return slug
    return WHOLE_NAMES.get(folded, OTHER_CLIENT)


class Callers:
    """Turns what clients say of themselves into `Caller`s; remembers a bounded number of them."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, str | None, str | None], Caller] = {}

    def of(self, said: Implementation, revision: str | None) -> Caller:
        """The caller that sent this `clientInfo` with this revision."""
        key = (said.name, said.version, revision)
        caller = self._known.get(key)
        if caller is None:
            name = said.name
            caller = Caller(
                None if name is None else family(name),
                bounded_version(said.version),
                None if name is None else name[:_MAX_NAME],
                revision,
            )
            if len(name or "") + len(said.version or "") <= _MAX_KEY:
                if len(self._known) >= _MAX_REMEMBERED:
                    self._known.clear()
                self._known[key] = caller
        return caller

    def __len__(self) -> int:
        return len(self._known)


def key_of(key: bytes, server: str) -> bytes:
    """The key for one server's sessions: two servers may give out the same id."""
    return hashlib.blake2b(server.encode(), digest_size=32, key=key).digest()


class SessionNames:
    """Names sessions by a keyed hash: on many servers the id itself opens the session.

    key: the installation's own, so that one session has one name in one store, and nowhere else;
    see `key_of`.
    """

    __slots__ = ("_known", "key")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self._known: dict[bytes, str] = {}

    def name(self, session_id: bytes) -> str:
        """32 hex digits, the same for the same id."""
        name = self._known.get(session_id)
        if name is None:
            name = hashlib.blake2b(session_id, digest_size=16, key=self.key).hexdigest()
            if len(session_id) <= _MAX_KEY:
                if len(self._known) >= _MAX_REMEMBERED:
                    self._known.clear()
                self._known[session_id] = name
        return name

    def mark(self, what: bytes, text: str) -> str:
        """32 hex digits that stand for a text; another `what` makes others. Not remembered."""
        data = what + b"\0" + text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=16, key=self.key, person=b"mark").hexdigest()

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"<SessionNames {len(self._known)} known>"


class Sessions:
    """Which caller opened which session: the legacy wire names the client only once.

    Bounded: the session that was opened first is forgotten first; the store still knows it.
    callers: by session; to look at. evicted: how many were forgotten.
    retries: what was asked for in sessions that were lost.
    """

    __slots__ = ("_limit", "callers", "evicted", "retries")

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self.evicted = 0
        self.callers: dict[str, Caller] = {}
        self.retries = Retries()

    def opened(self, session: str, caller: Caller) -> None:
        """A 2xx answer to `initialize` named this session.

        An id that was given to two different callers says nothing of who calls.
        """
        callers = self.callers
        known = callers.pop(session, None)
        if known is not None and not (known.is_over or known.is_same(caller)):
            caller = Caller(revision=caller.revision)
        if len(callers) >= self._limit:
            self.evicted += 1
            del callers[next(iter(callers))]
        callers[session] = caller

    def ended(self, session: str | None) -> None:
        """The server knows the session no longer: its id may be given to somebody else."""
        caller = self.caller(session)
        if session is not None and caller is not NOBODY and not caller.is_over:
            self.callers[session] = caller = Caller(
                caller.client, caller.version, caller.name, caller.revision
            )
            caller.is_over = True

    def caller(self, session: str | None) -> Caller:
        """Who opened the session; `NOBODY` if that was before our time."""
        return NOBODY if session is None else self.callers.get(session, NOBODY)

    def __len__(self) -> int:
        return len(self.callers)
