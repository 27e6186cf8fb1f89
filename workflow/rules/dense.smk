"""The representation at every pixel of a slice: exact, planned, proven."""


rule plan:
    input:
        network=expand(rules.train.output.network, run="main"),
        volume=rules.convert.output.volume,
    output:
        plan=f"{RESULTS}/dense/plan.json",
    log:
        f"{LOGS}/plan.log",
    benchmark:
        f"{TIMES}/plan.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    conda:
        "../../envs/brainarch.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        stride=CONFIG.extraction.stride,
        precision=CONFIG.extraction.precision,
        memory=CONFIG.extraction.memory_mb,
        rows=rows_option(),
    message:
        "Planning the dense extraction"
    shell:
        "brainarch plan --checkpoint {input.network:q} --volume {input.volume:q}"
        " --stride {params.stride} {params.rows:q} --memory-mb {params.memory}"
        " --precision {params.precision}"
        " --threads {threads}"
        " --output {output.plan:q} 2>&1 | tee {log:q}"


rule extract:
    input:
        plan=rules.plan.output.plan,
        network=expand(rules.train.output.network, run="main"),
        volume=rules.convert.output.volume,
        labels=rules.import_areas.output.labels,
    output:
        cube=directory(f"{RESULTS}/dense/z{{z}}.zarr"),
    log:
        f"{LOGS}/extract-z{{z}}.log",
    benchmark:
        f"{TIMES}/extract-z{{z}}.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    conda:
        "../../envs/brainarch.yaml"
    threads: 8
    resources:
        mem_mb=CONFIG.extraction.memory_mb + 500,
        runtime=600,
    params:
        slice=number,
        where=CONFIG.extraction.where,
        rows=rows_option(),
        storage=CONFIG.extraction.storage,
        partial=f"{PARTIAL}/extract",
    message:
        "Extracting the representation at every pixel of slice {wildcards.z}"
    shell:
        "brainarch extract --checkpoint {input.network:q} --volume {input.volume:q}"
        " --labels {input.labels:q} --plan {input.plan:q} --slice {params.slice}"
        " --where {params.where} {params.rows:q} --storage {params.storage}"
        " --partial {params.partial:q} --threads {threads} --output {output.cube:q} 2>&1 | tee {log:q}"


rule prove:
    input:
        cube=rules.extract.output.cube,
        network=expand(rules.train.output.network, run="main"),
        volume=rules.convert.output.volume,
    output:
        proof=f"{RESULTS}/dense/z{{z}}_proof.json",
    log:
        f"{LOGS}/prove-z{{z}}.log",
    benchmark:
        f"{TIMES}/prove-z{{z}}.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        windows=CONFIG.extraction.proof_windows,
        seed=CONFIG.seed,
    message:
        "Recomputing random windows of slice {wildcards.z} one by one"
    shell:
        "brainarch prove --cube {input.cube:q} --volume {input.volume:q}"
        " --checkpoint {input.network:q} --windows {params.windows} --seed {params.seed}"
        " --output {output.proof:q} 2>&1 | tee {log:q}"


rule predict:
    input:
        cube=rules.extract.output.cube,
        network=expand(rules.train.output.network, run="main"),
        labels=rules.import_areas.output.labels,
        legend=rules.import_areas.output.legend,
        splits=expand(PATCHES.splits, run="main"),
    output:
        areas=directory(f"{RESULTS}/prediction/z{{z}}_areas.zarr"),
        confusion=f"{RESULTS}/prediction/z{{z}}_confusion.csv",
        metrics=f"{RESULTS}/prediction/z{{z}}_metrics.csv",
        border=f"{RESULTS}/prediction/z{{z}}_border.csv",
    log:
        f"{LOGS}/predict-z{{z}}.log",
    benchmark:
        f"{TIMES}/predict-z{{z}}.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        seed=CONFIG.seed,
        prefix=lambda wildcards: f"{RESULTS}/prediction/z{wildcards.z}",
    message:
        "Mapping the areas of slice {wildcards.z}"
    shell:
        "brainarch predict --cube {input.cube:q} --checkpoint {input.network:q}"
        " --labels {input.labels:q} --splits {input.splits:q} --legend {input.legend:q}"
        " --seed {params.seed} --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"
