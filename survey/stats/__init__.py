"""Inference from judgments, in numpy and scipy alone."""
