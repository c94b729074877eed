"""`python -m hubbub`, the same as `hubbub`."""

import sys

from hubbub.cli import main

sys.exit(main())
