"""EEG: recordings of patients, read, kept without identifiers, and shown."""
