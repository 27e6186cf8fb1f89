"""The workflow lies in workflow/, where the catalogue of workflows looks for it."""


include: "workflow/Snakefile"


# an included file's default target does not count
workflow.default_target = "all"
