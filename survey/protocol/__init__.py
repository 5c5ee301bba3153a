"""The options of a study, defined once: type, range, description and default."""
