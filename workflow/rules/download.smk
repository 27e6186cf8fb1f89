"""The published data by name: slices and labels from BossDB, before they are converted.

The slices are no declared outputs: Snakemake deletes those of a job that failed, and what came
over the network must stay. The declared output is the table of what was received.
"""

if fetched("image"):

    rule download_stack:
        input:
            preflight=rules.preflight.output.report,
        output:
            table=f"{RESULTS}/download/stack.csv",
        log:
            f"{LOGS}/download-stack.log",
        benchmark:
            f"{TIMES}/download-stack.tsv"
        localrule: True
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=1440,
        params:
            source=lambda wildcards: download_options("image"),
            slices=f"{CONFIG.volume.path}/z{{z:04d}}.tif",
            shape=",".join(map(str, CONFIG.volume.shape)),
            dtype=CONFIG.volume.dtype,
            first_slice=CONFIG.volume.first_slice,
        message:
            "Fetching the slices of the volume"
        shell:
            "brainarch download {params.source:q} --shape {params.shape} --dtype {params.dtype}"
            " --first-slice {params.first_slice} --output {params.slices:q}"
            " --output-table {output.table:q} 2>&1 | tee {log:q}"


if fetched("areas"):

    rule download_areas:
        input:
            preflight=rules.preflight.output.report,
        output:
            table=f"{RESULTS}/download/areas.csv",
        log:
            f"{LOGS}/download-areas.log",
        benchmark:
            f"{TIMES}/download-areas.tsv"
        localrule: True
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=120,
        params:
            source=lambda wildcards: download_options("areas"),
            labels=CONFIG.annotations.path,
            slices=",".join(map(str, CONFIG.annotations.slices)),
            shape=",".join(map(str, CONFIG.volume.shape)),
            first_slice=CONFIG.volume.first_slice,
        message:
            "Fetching the label images of the annotated slices"
        shell:
            "brainarch download {params.source:q} --shape {params.shape} --slice {params.slices}"
            " --first-slice {params.first_slice} --output {params.labels:q}"
            " --output-table {output.table:q} 2>&1 | tee {log:q}"
