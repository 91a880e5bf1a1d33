"""How large a request may be, by the URL that takes it. The proxies of compose.yaml and
docs/operators.md let through as much.
"""

from dataclasses import dataclass

from config.roles import ADMIN, RESEARCHER, Role

MB = 1024**2
FORM = 32 * MB
"""A page or call that is not in the table, from somebody who may use it."""
ANONYMOUS = 1 * MB
SUITE_FILES = 64 * MB
IMPORT_FILE = 4096 * MB


@dataclass(frozen=True)
class Limit:
    n_bytes: int
    roles: frozenset[Role]
    """Whose requests may be so large. Others' limit is that of a form."""


_IMPORT = Limit(IMPORT_FILE, ADMIN)

LARGE: dict[str, Limit] = {
    "import_new": _IMPORT,
    "answers_import": _IMPORT,
    "snapshot_new": _IMPORT,  # text for pretraining
    "suite_new": Limit(SUITE_FILES + MB, RESEARCHER),  # and the fields beside the files
    "api_imports": _IMPORT,
    "api_import_preview": _IMPORT,
}
"""By the URL's name. A call is the POST with a form of files; JSON has the limit of a form."""
