"""How every torch model is trained: one loop, one optimiser, checkpoints, devices."""

from recommender.core.training.adam import Adam
from recommender.core.training.curve import LossCurve
from recommender.core.training.devices import guarded, half_precision, resolve_device
from recommender.core.training.loop import Outcome, Task, train
from recommender.core.training.stopping import EarlyStopping

__all__ = [
    "Adam",
    "EarlyStopping",
    "LossCurve",
    "Outcome",
    "Task",
    "guarded",
    "half_precision",
    "resolve_device",
    "train",
]
