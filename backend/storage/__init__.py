"""What Bioloom keeps: tables, transactions, stores, and the hash chain over all runs."""

from backend.storage.chain import Problem, Verification
from backend.storage.records import Connection, SavedSearch
from backend.storage.runs import RunStore, RunSummary, new_run_id
from backend.storage.store import Storage, open_storage

__all__ = ["Connection", "Problem", "RunStore", "RunSummary", "SavedSearch", "Storage", "Verification", "new_run_id", "open_storage"]
