"""Compiled code is cached on disk, and never used after the sources that went into it changed."""

import os
import shutil
import subprocess
import sys

import pytest

import recommender.core.compiling

HELPER = """
import numba

@numba.njit(inline="always")
def change(x):
    return {}
"""
KERNEL = """
from recommender.core.compiling import kernel
from recommender.core.example.helper import change

@kernel
def changed(x):
    return change(x)

print(changed(5), sum(changed.stats.cache_hits.values()))
"""


@pytest.fixture
def run_kernel(tmp_path):
    """Run KERNEL in a copy of the core with the given body of its helper; result, cache hits."""
    package = tmp_path / "recommender" / "core" / "example"
    package.mkdir(parents=True)
    shutil.copy(recommender.core.compiling.__file__, package.parent)
    (package / "kernel.py").write_text(KERNEL)
    for folder in (package.parents[1], package.parents[0], package):
        (folder / "__init__.py").touch()

    def run(body: str, **environment: str) -> list[int]:
        (package / "helper.py").write_text(HELPER.format(body))
        done = subprocess.run(
            [sys.executable, "-m", "recommender.core.example.kernel"],
            # Python takes its own compiled file for new if size and second of the source agree.
            env={
                **os.environ,
                "PYTHONPATH": str(tmp_path),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NUMBA_CACHE_DIR": "",
                **environment,
            },
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        return [int(number) for number in done.stdout.split()]

    return run


@pytest.mark.parametrize("own_folder", [False, True])
def test_an_edited_helper_of_a_kernel_gives_new_numbers(run_kernel, tmp_path, own_folder):
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "chosen")} if own_folder else {}
    assert run_kernel("x + 1", **environment) == [6, 0]
    assert run_kernel("x + 1", **environment) == [6, 1]
    assert run_kernel("x * 3", **environment) == [15, 0]
    assert (tmp_path / "chosen").exists() == own_folder


def test_kernels_compile_where_no_cache_folder_can_be_written(run_kernel, tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert run_kernel("x + 1", NUMBA_CACHE_DIR=str(file)) == [6, 0]
    assert run_kernel("x * 3", NUMBA_CACHE_DIR=str(file)) == [15, 0]


def test_compiling_keeps_the_users_cache_setting(monkeypatch, tmp_path):
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert recommender.core.compiling.kernel(lambda x: x + 1)(41) == 42
    assert str(tmp_path) == numba.config.CACHE_DIR
