"""The product's child process with one additional kind of run:

python -m tests.training.toy_kind.child RUN_DIR
"""

import sys

from tests.training import toy_kind
from training.trainer import __main__

if __name__ == "__main__":
    toy_kind.install()
    sys.exit(__main__.main(sys.argv[1:]))
