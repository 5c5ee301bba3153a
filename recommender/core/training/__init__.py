"""How every torch model is trained: one loop, one optimiser, checkpoints, devices."""

from recommender.core.training.adam import Adam
from recommender.core.training.curve import LossCurve
from recommender.core.training.devices import guarded, resolve_device
from recommender.core.training.loop import Task, train

__all__ = ["Adam", "LossCurve", "Task", "guarded", "resolve_device", "train"]
