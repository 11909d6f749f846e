"""The canaries of `mcpr privacy-proof`, which these tests plant, too."""

from mcpr.proxy.privacy_proof.canaries import FORMS, Canaries, Finding, find_address

__all__ = ["FORMS", "Canaries", "Finding", "find_address"]
