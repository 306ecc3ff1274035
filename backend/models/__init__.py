"""The model registry: cards, store, runtime, and one file a family."""
