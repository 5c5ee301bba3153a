"""Ratings from neighbours: the plain form of every variant here, the compiled form in ``fast``."""
