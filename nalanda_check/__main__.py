"""`python -m nalanda_check`, the same as `nalanda-check`."""

import sys

from nalanda_check.main import main

if __name__ == "__main__":
    sys.exit(main())
