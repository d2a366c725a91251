"""Every lock has hashes and names no index; each contains the smaller one, and all of what it was made from."""

import re
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
LOCKS = ("app", "start", "check")  # each contains the one before
ADDRESS = re.compile(
    r"https?://|file:|^\s*-(?:-index-url|-extra-index-url|-find-links|-trusted-host|i |f )", re.MULTILINE
)


def locked(name: str) -> dict[str, set[str]]:
    """Pinned requirement → hashes. Markers may differ: what only Windows needs here, everybody may need there."""
    text = (REQUIREMENTS / f"{name}.lock").read_text().replace("\\\n", " ")
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line)
            found.setdefault(requirement.split(" ;")[0].strip(), set()).update(hashes)
    return found


def wanted(name: str) -> set[str]:
    """The package names that stand in the file the lock was made from."""
    lines = (REQUIREMENTS / f"{name}.in").read_text().splitlines()
    return {normal(re.match(r"[\w.-]+", line)[0]) for line in lines if line and line[0] not in "#-"}  # type: ignore[index]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def problems() -> list[str]:
    found, smaller = [], {}
    for name in LOCKS:
        if address := ADDRESS.search((REQUIREMENTS / f"{name}.lock").read_text()):
            found.append(f"{name}.lock names an address: {address[0].strip()}")
        packages = locked(name)
        found += [f"{name}.lock: {package} has no hash" for package, hashes in packages.items() if not hashes]
        found += [f"{name}.lock lacks {package} of the smaller lock" for package in smaller.keys() - packages.keys()]
        names = {normal(package.split("==")[0]) for package in packages}
        found += [f"{name}.lock lacks {missing}, which {name}.in names" for missing in sorted(wanted(name) - names)]
        smaller = packages
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
