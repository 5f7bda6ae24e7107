"""usage: recorder.py FILE. Append everything that comes on stdin to FILE."""

import os
import sys

descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
while data := os.read(0, 1 << 20):
    while data:
        data = data[os.write(descriptor, data) :]
