"""The versions of this code and of its libraries, stored with every model."""

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

from recommender import core

LIBRARIES = ("torch", "numpy", "scipy", "pandas", "safetensors")


@cache
def code_version() -> str:
    """The package's version and a hash of the sources that determine what a model learns."""
    digest = hashlib.sha256()
    root = Path(core.__path__[0])
    for file in sorted(root.rglob("*.py")):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0")
        digest.update(file.read_bytes())
    return f"{metadata.version('studysite')}+core.{digest.hexdigest()[:12]}"


def library_versions() -> dict[str, str]:
    found = {name: metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), **found}
