"""The one exception that a user's mistake raises."""

from __future__ import annotations


class InputError(Exception):
    """A mistake in what the user gave: a file, a config key, a slice.

    The message is one line that names the culprit, says what is wrong and how to mend it. The
    command line prints it without a traceback and exits with status 2.
    """
