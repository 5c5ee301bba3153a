"""The recommenders and their evaluation as a library: no Django, no Celery, no settings."""

import os

# OpenMP's threads spin while they wait for each other. Where the processor has other work too,
# they spin away the time of those they wait for: training a small network beside another process
# took fifty times as long. Read when torch is loaded, so it is set before anything imports torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Large pages where the system leaves them to the program: without them a training step at the
# paper's size spends a third of its time on page faults (benchmarks/leave_one_out_step.py).
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
