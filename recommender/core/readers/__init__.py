"""Readers: a source of ratings in, checked ratings and items out; a damaged source is refused."""
