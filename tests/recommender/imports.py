"""A small MovieLens folder to import, and the files that an import leaves."""

import hashlib

import pytest

from tests.recommender.core.readers import sources


@pytest.fixture
def movielens(tmp_path):
    return sources.folder(tmp_path / "ml-tiny", sources.MOVIELENS)


def everything(home) -> dict[str, str]:
    """Every file and folder of the home, with the checksum of its content."""
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in home.rglob("*")
        if "sqlite3" not in path.name
    }
