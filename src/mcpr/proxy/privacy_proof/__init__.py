"""`mcpr privacy-proof`: whether anything of what is said through a proxy is kept by it.

`canaries` plants words and finds them, `scenes` says them through a real proxy between `echo` (an
MCP server) and `talk` (a client), `proof` runs it all and gathers what is found: nothing leaves
this machine, and no server of the user's is called. `running` says words through the user's own
proxy instead, in requests that no server carries out. ADR 0019.
"""

from mcpr.proxy.privacy_proof.proof import Proof, ProofRow, Sought, prove
from mcpr.proxy.privacy_proof.running import Target, prove_running, running_proxy

__all__ = ["Proof", "ProofRow", "Sought", "Target", "prove", "prove_running", "running_proxy"]
