"""Autoencoders over both sides of the rating matrix (preset ``tuned``), one file per part."""
