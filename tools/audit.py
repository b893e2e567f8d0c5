"""Ask pip-audit whether a pinned dependency has a known vulnerability. Without a network it says so and passes.

    python tools/audit.py [CONSTRAINTS]

Only an answer counts: exit 1 if the database was reached and names a vulnerability, 0 otherwise.
"""

from __future__ import annotations

import subprocess
import sys

DEADLINE_S = 60
# requests and urllib3 word an unreachable or blocked database in these ways.
OFFLINE_SIGNS = (
    "ConnectionError",
    "Connection refused",
    "Connection aborted",
    "ConnectTimeout",
    "ReadTimeout",
    "Max retries exceeded",
    "Name or service not known",
    "Failed to resolve",
    "NameResolutionError",
    "ProxyError",
    "SSLError",
    "Could not connect",
    "HTTPError",
    "ServiceError",
    "JSONDecodeError",
)


def main(arguments: list[str]) -> int:
    constraints = arguments[0] if arguments else "constraints.txt"
    command = [sys.executable, "-m", "pip_audit", "--requirement", constraints, "--no-deps", "--disable-pip"]
    try:
        run = subprocess.run(
            [*command, "--progress-spinner", "off", "--timeout", "5"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
    except subprocess.TimeoutExpired:
        print(f"audit: not checked, no answer within {DEADLINE_S} s (offline?)")
        return 0
    output = run.stdout + run.stderr
    unknown = output.count("could not be audited")
    if unknown and run.returncode == 0:
        print(f"audit: no known vulnerability; {unknown} packages not checked, the database does not answer for them")
        return 0
    if run.returncode and "known vulnerabilit" in output:
        print(output.strip())
        return 1
    if run.returncode and any(sign in output for sign in OFFLINE_SIGNS):
        print(f"audit: not checked, the vulnerability database cannot be reached from here ({constraints})")
        return 0
    print(output.strip())
    return run.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
