"""`mcpr privacy-proof`: whether anything of what is said through a proxy is kept by it.

`canaries` plants words and finds them, `scenes` says them through a real proxy between `echo` (an
MCP server) and `talk` (a client), `proof` runs it all and gathers what is found. Nothing leaves
this machine, and no server of the user's is called. ADR 0019.
"""

from mcpr.proxy.privacy_proof.proof import Proof, ProofRow, Sought, prove

__all__ = ["Proof", "ProofRow", "Sought", "prove"]
