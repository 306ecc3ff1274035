"""Gets the explainers ready in the background, so that the first explanation does not wait for their import."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_started: threading.Thread | None = None


def warm_up() -> threading.Thread:
    """Start one explanation of a toy score in a background thread, once per process; returns that thread.

    Cheap to call, any number of times and from any thread. Importing shap takes about two seconds; nothing is compiled after it.
    """
    global _started
    with _lock:
        if _started is None:
            _started = threading.Thread(target=_explain_a_toy, name="explain-warm-up", daemon=True)
            _started.start()
        return _started


def _explain_a_toy() -> None:
    from backend.explain.shapley import sampled_shapley

    sampled_shapley(lambda present: present.sum(axis=1), n=3, evaluations=8)
