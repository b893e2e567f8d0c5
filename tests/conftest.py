"""Nothing that a test runs, in this process or another, looks into the user's cache of read tables or writes to it."""

import os


def pytest_configure() -> None:
    # Here, because test modules copy the environment when they are imported, before any fixture.
    os.environ["ADMF_CACHE_DIR"] = ""
