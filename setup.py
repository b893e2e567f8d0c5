"""Compiles the modules of the event loop, where there is a C compiler; without one they run as they are.

Nothing else is built here: what the package is stands in pyproject.toml, why this is done in
docs/decisions/0005-compile-the-event-loop.md.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from setuptools import Distribution, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from admf_cli import compiled  # noqa: E402

# The event loop and what it calls in every cycle of signal, order, fill and position; each as a whole, containers with
# all that inherit from them.
MODULES = (
    "admf_cli.clock",
    "admf_cli.events.bus",
    "admf_cli.events.event",
    "admf_cli.events.tracer",
    "admf_cli.broker.account",
    "admf_cli.broker.commission",
    "admf_cli.broker.funds",
    "admf_cli.broker.instrument",
    "admf_cli.broker.matching",
    "admf_cli.broker.order",
    "admf_cli.broker.quotes",
    "admf_cli.broker.standing",
    "admf_cli.broker.touch",
    "admf_cli.containers.asked_portfolio",
    "admf_cli.containers.bar_by_bar",
    "admf_cli.containers.base",
    "admf_cli.containers.books",
    "admf_cli.containers.combined_portfolio",
    "admf_cli.containers.contents",
    "admf_cli.containers.data",
    "admf_cli.containers.execution",
    "admf_cli.containers.features",
    "admf_cli.containers.ordering",
    "admf_cli.containers.portfolio",
    "admf_cli.containers.strategy",
    "admf_cli.containers.tally",
    "admf_cli.containers.working",
    "admf_cli.risk.entry",
    "admf_cli.risk.orders",
    "admf_cli.risk.sizing",
    "admf_cli.tracefile.encoder",
    "admf_cli.tracefile.record",
)
# Floats must come out as Python's own do, so nothing is contracted into fused operations; and what a compiler merely
# warns of is no reason to do without.
# What is compiled calls itself directly, and nothing of it may be replaced from outside: by way of the linker's table,
# as ELF systems have it otherwise, a loop's code takes an eighth more of the processor's cache.
_FLAGS = ["-ffp-contract=off", "-fvisibility=hidden"]
if sys.platform == "linux":
    _FLAGS.append("-fno-semantic-interposition")
_UNWANTED_FLAGS = {"-Werror"}


class OptionalExtensions(build_ext):
    """Builds the modules into `admf_cli/_compiled`, beside their sources, or says that it could not."""

    def run(self) -> None:
        """Build them, unless they are there already or the machine cannot."""
        place = ROOT if self.inplace or self.editable_mode else Path(self.build_lib)
        directory = str(place / "admf_cli" / compiled.DIRECTORY_NAME)
        if compiled.is_made_of(directory, MODULES):
            return
        compiled.remove_manifest(directory)
        try:
            self.distribution.ext_modules = _extensions()
            builder = build_ext(self.distribution)  # this one was set up before it was known what to build
            builder.inplace, builder.editable_mode = self.inplace, self.editable_mode
            builder.build_lib, builder.build_temp = self.build_lib, self.build_temp
            builder.ensure_finalized()
            for extension in builder.extensions:
                builder.mkpath(os.path.dirname(builder.get_ext_fullpath(extension.name)))
            builder.run()
            compiled.note_refusal(directory, None)
        except SystemExit as refusal:  # mypyc leaves so when the sources are not what it can compile
            compiled.note_refusal(directory, f"mypyc refused the sources with exit code {refusal}; pip -v shows why")
            print(
                "admf: the event loop is not compiled, and runs from its sources: mypyc refused them", file=sys.stderr
            )
        except (ImportError, OSError, BaseError, CCompilerError) as fault:
            print(f"admf: the event loop is not compiled, and runs from its sources: {fault}", file=sys.stderr)
        else:
            compiled.write_manifest(directory, MODULES)
        finally:
            self.distribution.ext_modules = []


class PlatformDistribution(Distribution):
    """One that may have compiled modules; which ones is not known before they are built."""

    def has_ext_modules(self) -> bool:
        """Return True, so that `build_ext` is run and a wheel is named after its platform."""
        return True


def _extensions() -> list[Any]:
    from mypyc.build import mypycify

    files = [str((ROOT / module.replace(".", "/")).with_suffix(".py").relative_to(ROOT)) for module in MODULES]
    # What types other packages and modules have is the business of `make check`; here they may differ by version.
    settings = Path("build/mypy.ini")
    settings.parent.mkdir(exist_ok=True)
    settings.write_text("[mypy-numpy.*]\nfollow_imports = skip\nfollow_imports_for_stubs = True\n", encoding="utf-8")
    options = [f"--config-file={settings}", "--ignore-missing-imports", "--follow-imports=silent"]
    extensions = mypycify(
        [*options, "--cache-dir=build/mypy", *files], group_name=compiled.GROUP, opt_level="2", debug_level="0"
    )
    for extension in extensions:
        extension.name = f"admf_cli.{compiled.DIRECTORY_NAME}.{extension.name}"
        flags = [flag for flag in extension.extra_compile_args if flag not in _UNWANTED_FLAGS]
        extension.extra_compile_args = [*flags, *(() if sys.platform == "win32" else _FLAGS)]
    return extensions


setup(cmdclass={"build_ext": OptionalExtensions}, distclass=PlatformDistribution)
