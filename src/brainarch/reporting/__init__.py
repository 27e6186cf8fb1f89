"""The one-page summary: verdicts, numbers, figures, provenance of one dataset's run.

`manifest` says which files there are, `verdicts` and `numbers` read them, `published` holds the
papers' figures, `page` makes the HTML, `summary` puts all together.
"""
