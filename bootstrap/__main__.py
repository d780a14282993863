"""`python -m bootstrap KIND FOLDER`."""

import sys

from bootstrap.environment import main

sys.exit(main(sys.argv[1:]))
