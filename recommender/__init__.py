"""Data sets, jobs, trained models and their recommendations; no pages."""
