"""Bioloom's engine: everything but the pages. Never imports streamlit."""

import os

__version__ = "0.1.0"

# Threads that spin while they wait make a busy two-core machine ten times slower: a question beside an indexing job took 369 ms
# with spinning threads and 28 ms without. Read by OpenMP when torch is first loaded, which is always after this.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
