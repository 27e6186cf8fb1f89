"""What every stage has in common: one line of the command, its log, what a small stage needs."""


rule stage:
    log:
        f"{LOGS}/stage.log",
    conda:
        "../../envs/brainarch.yaml"
    resources:
        **asked("stage"),
    params:
        config=frozen,
        machine=lambda wildcards, threads: ["--threads", threads],
    shell:
        "brainarch {params.verb} {params.config:q} {params.machine:q} 2>&1 | tee {log:q}"
