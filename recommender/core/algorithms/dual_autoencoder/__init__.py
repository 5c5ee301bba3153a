"""Autoencoders over both sides of the rating matrix, one file per part."""
