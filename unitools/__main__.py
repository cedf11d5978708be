"""`python -m unitools`: the command line."""

import sys

from unitools.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
