"""One self-contained module per system of the paper, all on the contract of base.py."""
