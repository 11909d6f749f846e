"""The tables of `mcpr.toml`: one frozen dataclass each, in a file of its own name."""
