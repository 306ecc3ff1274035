"""Decoders fitted to one patient: trials, candidates, the protocol that judges them, and what is kept of them."""
