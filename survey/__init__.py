"""Studies, judgments and their statistics; the only package that renders pages."""
