"""What every stage has in common: one line of the command, its log, one thread, some memory."""


rule stage:
    log:
        f"{LOGS}/stage.log",
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        config=frozen,
        machine=lambda wildcards, threads: ["--threads", threads],
    shell:
        "brainarch {params.verb} {params.config:q} {params.machine:q} 2>&1 | tee {log:q}"
