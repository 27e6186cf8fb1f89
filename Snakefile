"""brainarch: from a TIFF stack and a few annotated slices to a map of brain microarchitecture.

    snakemake --cores all                                     the embedded default
    snakemake --cores all --configfile config/own_volume.yaml   a volume of your own

Every rule is a line of the `brainarch` command, printed with --printshellcmds.
"""

from snakemake.utils import min_version

min_version("9.27")

# a config given on the command line stands alone: nothing of the default leaks into it
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/preflight.smk"
include: "workflow/rules/source.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/volume.smk"
include: "workflow/rules/patches.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/embedding.smk"
include: "workflow/rules/dense.smk"
include: "workflow/rules/readout.smk"
include: "workflow/rules/factors.smk"
include: "workflow/rules/discovery.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/previews.smk"
include: "workflow/rules/volume_statistics.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.report.output,
        rules.volume_figure.output,
        rules.variability.input,
        rules.microarchitecture.input,


onsuccess:
    print(f"\nReport:  {RESULTS}/report/summary.html\nFigures: {RESULTS}/figures/")
