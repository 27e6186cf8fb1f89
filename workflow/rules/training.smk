"""Training the network, and what it gets right on sampled patches."""


rule train:
    input:
        volume=rules.convert.output.volume,
        labels=rules.import_areas.output.labels,
        legend=rules.import_areas.output.legend,
        splits=patches_of("splits"),
        train=patches_of("train"),
        val=patches_of("val"),
    output:
        network=f"{RESULTS}/model/{{run}}/network.safetensors",
        curves=f"{RESULTS}/model/{{run}}/learning_curves.csv",
        summary=f"{RESULTS}/model/{{run}}/training.json",
    log:
        f"{LOGS}/train-{{run}}.log",
    benchmark:
        f"{TIMES}/train-{{run}}.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 8
    resources:
        mem_mb=3000,
        runtime=600,
    params:
        epochs=epochs_of,
        batch_size=CONFIG.training.batch_size,
        learning_rate=CONFIG.training.learning_rate,
        dropout=CONFIG.training.dropout,
        seed=CONFIG.seed,
        flips=["--flips"] if CONFIG.training.flips else [],
        permute=lambda wildcards: (["--permute-labels"] if wildcards.run == "permuted" else []),
        folder=lambda wildcards, output: str(Path(output.network).parent),
        partial=f"{PARTIAL}/train",
    message:
        "Training the network ({wildcards.run})"
    shell:
        "brainarch train --volume {input.volume:q} --train-patches {input.train:q}"
        " --val-patches {input.val:q} --labels {input.labels:q} --splits {input.splits:q}"
        " --legend {input.legend:q} --output {params.folder:q} --partial {params.partial:q}"
        " --epochs {params.epochs} --batch-size {params.batch_size}"
        " --learning-rate {params.learning_rate} --dropout {params.dropout} --seed {params.seed}"
        " --threads {threads} {params.flips:q} {params.permute:q} 2>&1 | tee {log:q}"


rule evaluate:
    input:
        network=rules.train.output.network,
        volume=rules.convert.output.volume,
        legend=rules.import_areas.output.legend,
        patches=lambda wildcards: patches_of(wildcards.split)(wildcards),
    output:
        predictions=f"{RESULTS}/evaluation/{{run}}/{{split}}_predictions.csv",
        metrics=f"{RESULTS}/evaluation/{{run}}/{{split}}_metrics.csv",
        confusion=f"{RESULTS}/evaluation/{{run}}/{{split}}_confusion.csv",
    log:
        f"{LOGS}/evaluate-{{run}}-{{split}}.log",
    benchmark:
        f"{TIMES}/evaluate-{{run}}-{{split}}.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        without=repeated("--without", THIN_AREAS),
        bootstrap=CONFIG.readout.bootstrap,
        seed=CONFIG.seed,
        prefix=lambda wildcards: f"{RESULTS}/evaluation/{wildcards.run}/{wildcards.split}",
    message:
        "Evaluating the network ({wildcards.run}) on sampled patches ({wildcards.split})"
    shell:
        "brainarch evaluate --checkpoint {input.network:q} --volume {input.volume:q}"
        " --patches {input.patches:q} --legend {input.legend:q} {params.without:q}"
        " --bootstrap {params.bootstrap} --seed {params.seed} --threads {threads}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"
