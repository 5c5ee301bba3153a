"""How torch models are trained: the loop, the row-wise optimiser, checkpoints and devices."""
