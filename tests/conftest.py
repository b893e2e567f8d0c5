"""What holds for every test: the user's cache of read tables is left alone, and so is the working directory."""

import os
from collections.abc import Iterator

import pytest


def pytest_configure() -> None:
    # Here, because test modules copy the environment when they are imported, before any fixture.
    os.environ["ADMF_CACHE_DIR"] = ""


@pytest.fixture(autouse=True)
def _working_directory_stays() -> Iterator[None]:
    """Blame the test that moves, not whichever test comes after it in the same process."""
    here = os.getcwd()
    yield
    there = os.getcwd()
    os.chdir(here)
    assert there == here, "the test left its working directory"
