"""One thread for the numerics: the matrices are tiny, and other tests want the processors."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
