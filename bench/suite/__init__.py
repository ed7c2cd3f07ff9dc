"""scripts/bench: everything in bench/ in one run, and the report of it."""
