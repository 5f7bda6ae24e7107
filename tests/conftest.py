"""What holds for all tests."""

from hypothesis import settings

# No test is timed: on a machine that is busy with everything else, an example may take any time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
