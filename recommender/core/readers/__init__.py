"""Readers: one source of ratings in, checked triples out; a damaged source is refused whole."""
