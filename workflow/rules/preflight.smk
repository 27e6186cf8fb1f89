"""A look before the run: input files, disk and memory against what the config asks for.

Nothing here is an input, and the config is a parameter that Snakemake does not compare (it is
derived from the output): the check runs before the volume is made, and again only when the config's
section on the volume has changed, which makes a new volume anyway. It causes no rerun of its own.
`brainarch doctor --configfile ...` checks at any other time.
"""

import json


rule preflight:
    output:
        report=f"{RESULTS}/preflight.json",
    log:
        f"{LOGS}/preflight.log",
    benchmark:
        f"{TIMES}/preflight.tsv"
    localrule: True
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        declared=lambda wildcards: CONFIG.volume.model_dump_json(),
        config=lambda wildcards, output: CONFIG.model_dump_json(),
        # a cluster gives every stage the memory that its rule asks for
        memory=lambda wildcards, output: (
            ["--no-memory"] if workflow.remote_exec or workflow.non_local_exec else []
        ),
    message:
        "Checking input files, disk and memory"
    shell:
        "printf '%s' {params.config:q} | brainarch doctor --configfile - --results results"
        " {params.memory:q} --output {output.report:q} 2>&1 | tee {log:q}"
