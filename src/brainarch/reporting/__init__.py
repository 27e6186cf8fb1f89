"""The one-page summary: verdicts, numbers, figures, provenance of one dataset's run.

`manifest` holds the results by kind, `verdicts` and `numbers` read them, `published` holds the
papers' figures, `reproduction` puts them beside ours, `missing` what there is not, `summary` puts
all together, `page` makes the HTML from the template ``summary.html``, `stages` writes it.
"""
