"""``python -m emulator.stripe``."""

import sys

from emulator.stripe.cli import main

sys.exit(main(sys.argv[1:]))
