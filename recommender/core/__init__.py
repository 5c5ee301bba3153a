"""The recommenders and their evaluation as a library: no Django, no Celery, no settings."""

import os

# OpenMP threads spin while they wait for each other. On a busy processor they take time from the
# threads they wait for: training a small network next to another process took fifty times as long.
# torch reads this variable when it is loaded, so it must be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Use large pages if the system lets the program choose. Without them a training step of the paper's
# network spends a third of its time on page faults (benchmarks/leave_one_out_step.py).
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
