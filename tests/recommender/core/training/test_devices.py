import pytest
import torch

from recommender.core.algorithms.autoencoder.task import WithheldRatingsTask
from recommender.core.errors import ConfigurationError, OutOfMemory
from recommender.core.runs import RunOptions
from recommender.core.training.devices import half_precision, resolve_device
from tests.recommender.core.training.runs import fit


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes"),
    ],
)
def test_too_little_memory_is_an_error_of_its_own(monkeypatch, error):
    def full(*args):
        raise error

    monkeypatch.setattr(WithheldRatingsTask, "gradients", full)
    with pytest.raises(OutOfMemory, match="preset compact"):
        fit()


def test_other_runtime_errors_are_passed_on(monkeypatch):
    def broken(*args):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(WithheldRatingsTask, "gradients", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        fit()


def test_the_number_of_threads_is_restored():
    before = torch.get_num_threads()
    fit()
    assert torch.get_num_threads() == before


def test_a_device_is_resolved_or_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == "cpu"
    with pytest.raises(ConfigurationError, match="CUDA"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == resolve_device("cuda") == "cuda"
    assert resolve_device("cuda:1") == "cuda:1"
    for unknown in ("tpu", "cpu:1", "cuda:x"):
        with pytest.raises(ConfigurationError, match=unknown):
            resolve_device(unknown)


def test_half_precision_is_used_on_request():
    assert half_precision(RunOptions()) is None
    assert half_precision(RunOptions(precision="bfloat16")) == torch.bfloat16
    assert half_precision(RunOptions(precision="float32", device="cuda")) is None
    with pytest.raises(ConfigurationError, match="int8"):
        half_precision(RunOptions(precision="int8"))
