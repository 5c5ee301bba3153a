"""A Bayesian factorisation machine; ``model`` owns the system, ``gibbs`` its sampler."""
