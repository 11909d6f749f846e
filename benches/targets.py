"""What issue A demands of the figures, each beside what was measured."""

from dataclasses import dataclass

from benches.instructions import InstructionReport
from benches.rounds import Table

MAX_INSTRUCTIONS = 60_000
NGINX, MCPR, RUST = "nginx", "mcpr", "Rust mcpr"


@dataclass(frozen=True, slots=True)
class Target:
    """One demand; `measured` is None when a row that it needs is missing or invalid."""

    demand: str
    measured: float | None
    limit: float
    is_ratio: bool = True

    @property
    def verdict(self) -> str:
        """reached, not reached, or not measured."""
        if self.measured is None:
            return "not measured"
        return "reached" if self.measured <= self.limit else "not reached"

    @property
    def shown(self) -> str:
        """The measured value as the table prints it."""
        if self.measured is None:
            return "-"
        if self.is_ratio:
            return f"{self.measured:.2f}"
        return f"{self.measured:,.0f}"


def check(
    tables: dict[str, Table], instructions: dict[str, InstructionReport | str]
) -> list[Target]:
    """All targets of the issue. `tables` and `instructions` may lack rows."""

    def ratio(scenario: str, peer: str, what: str = "cpu_us") -> float | None:
        table = tables.get(scenario)
        return table.ratio(MCPR, peer, what) if table else None

    counted = instructions.get(MCPR)
    own = counted.per_request if isinstance(counted, InstructionReport) else None
    return [
        Target("CPU per request, heads seen, against nginx", ratio("seen", NGINX), 1.35),
        Target(
            "CPU per request, a fresh traceparent each, against nginx",
            ratio("traceparent", NGINX),
            1.5,
        ),
        Target("CPU per request, SSE answer, against nginx", ratio("sse", NGINX), 1.2),
        Target("User-mode instructions per request", own, MAX_INSTRUCTIONS, is_ratio=False),
        Target("p50 at one connection, against nginx", ratio("one", NGINX, "p50_us"), 1.2),
        Target("CPU per request, heads seen, against the Rust mcpr", ratio("seen", RUST), 1.0),
        Target(
            "CPU per request, a fresh traceparent each, against the Rust mcpr",
            ratio("traceparent", RUST),
            1.0,
        ),
        Target("CPU per request, SSE answer, against the Rust mcpr", ratio("sse", RUST), 1.0),
    ]
