"""Who is asking, and what that changes: the order and the words of a result, never a number, a verdict or the evidence."""
