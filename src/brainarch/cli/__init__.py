"""The command line: a verb for each stage, and those that need no config."""
