"""A site of the first release is upgraded to this code."""

import json
import sys

from benchmarks.operating.machines import Machine

RELEASE = "0.1.0"


def measure(site: Machine) -> dict[str, float]:
    """`upgrade_errors`: pages that did not open for a role. `upgrade_lost`: rows and columns that
    are gone or different.
    """
    found = json.loads(
        site.run(sys.executable, "-m", "tests.upgrades.upgrade", RELEASE).splitlines()[-1]
    )
    for sentence in (*found["pages"], *found["lost"]):
        print(sentence, file=sys.stderr)
    return {
        "upgrade_errors": len(found["pages"]),
        "upgrade_lost": len(found["lost"]),
        "upgrade_pages": found["n_pages"],
    }
