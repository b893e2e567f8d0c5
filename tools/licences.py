"""List the licences of what a user of ADMF installs. Judges declared metadata only; it is no legal opinion.

    python tools/licences.py

Everything reachable from the package's own dependencies and its user extras must be permissive: exit 1 if not.
Oracles of the tests (dev extra) may be copyleft, since they are never shipped nor imported by the package.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

PERMISSIVE = re.compile(r"MIT|BSD|Apache|PSF|Python Software|ISC|MPL|Mozilla|0BSD|Zlib|Unlicense|Public Domain", re.I)
FORBIDDEN = re.compile(r"\bA?GPL|Affero|Commons Clause|SSPL|BUSL|Business Source|Proprietary", re.I)


def declared_licence(dist: Distribution) -> str:
    """Return the licence as declared: SPDX expression, classifiers, free text, else the licence file's first line."""
    fields = dist.metadata
    if "License-Expression" in fields:
        return fields["License-Expression"]
    classifiers = [
        value.rpartition("::")[2].strip()
        for value in fields.get_all("Classifier") or []
        if value.startswith("License ::") and not value.endswith("OSI Approved")
    ]
    if classifiers:
        return "; ".join(classifiers)
    text = " ".join(fields.get_all("License") or [])
    for name in fields.get_all("License-File") or []:
        text = text or dist.read_text(f"licenses/{name}") or dist.read_text(name) or ""
    return text.strip().partition("\n")[0].strip("# ")[:60] or "undeclared"


def reachable(roots: Iterable[str]) -> tuple[dict[str, Distribution], list[str]]:
    """Return the installed distributions that `roots` need, by name, and the names that are not installed."""
    found: dict[str, Distribution] = {}
    missing: list[str] = []
    waiting = [Requirement(root) for root in roots]
    while waiting:
        requirement = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name in found or name in missing:
            continue
        try:
            found[name] = distribution(requirement.name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        for text in found[name].requires or []:
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    return dict(sorted(found.items())), sorted(missing)


def main() -> int:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    user_extras = [line for extra, lines in extras.items() if extra != "dev" for line in lines]
    found, missing = reachable([*project["dependencies"], *user_extras])
    refused = []
    for name, dist in found.items():
        licence = declared_licence(dist)
        acceptable = bool(PERMISSIVE.search(licence)) and not FORBIDDEN.search(licence)
        print(f"{name:28} {dist.version:18} {licence}{'' if acceptable else '   <- not known to be permissive'}")
        if not acceptable:
            refused.append(name)
    if missing:
        print(f"licences: not installed, so not looked at: {', '.join(missing)}")
    print(f"licences: {len(found)} packages, {len(refused)} not permissive")
    return 1 if refused or not found else 0


if __name__ == "__main__":
    sys.exit(main())
