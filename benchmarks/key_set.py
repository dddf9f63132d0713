"""Keep the keys of a number of rows and nothing else, to see how much memory they need."""

from __future__ import annotations

import sys

from pluvo_client.reading.key_set import KeySet

keys = KeySet()
for number in range(int(sys.argv[1])):
    keys.add(f"bd0eda08-6634-4b19-a314-{number:012x}")
