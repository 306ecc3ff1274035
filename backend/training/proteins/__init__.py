"""Scripts that train a protein language model in the published layout of ESM-2: proteins in, a model's folder and its measures out."""
