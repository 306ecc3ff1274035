"""Who is asking, and (later) whose signal it is."""
