"""Scripts that train the small readers that Bioloom ships: data in, weights and a file of measured figures out."""
