"""What the representations of sampled patches say about areas: classifiers, clusters, geometry."""


rule classify:
    input:
        train=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="train",
        ),
        test=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="test",
        ),
        noise=expand(rules.embed_noise.output.representations, network=CONFIG.readout.networks),
        head=expand(rules.evaluate.output.predictions, run="main", split="test"),
    output:
        classifiers=f"{RESULTS}/readout/classifiers.csv",
        noise=f"{RESULTS}/readout/noise.csv",
    log:
        f"{LOGS}/classify.log",
    benchmark:
        f"{TIMES}/classify.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        train=by_network("--train", "train"),
        test=by_network("--test", "test"),
        noise=by_network("--noise", "noise"),
        head=lambda wildcards, input: repeated(
            "--head",
            [f"cnn={input.head[0]}"] if "cnn" in CONFIG.readout.networks else [],
        ),
        bootstrap=CONFIG.readout.bootstrap,
        seed=CONFIG.seed,
    message:
        "Fitting classifiers on the representations"
    shell:
        "brainarch classify {params.train:q} {params.test:q} {params.noise:q} {params.head:q}"
        " --bootstrap {params.bootstrap} --seed {params.seed} --threads {threads}"
        " --output {output.classifiers:q} --output-noise {output.noise:q} 2>&1 | tee {log:q}"


rule cluster_score:
    input:
        train=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="train",
        ),
        test=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="test",
        ),
    output:
        score=f"{RESULTS}/readout/gmm.csv",
    log:
        f"{LOGS}/cluster-score.log",
    benchmark:
        f"{TIMES}/cluster-score.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        train=by_network("--train", "train"),
        test=by_network("--test", "test"),
        bootstrap=CONFIG.readout.bootstrap,
        seed=CONFIG.seed,
    message:
        "Scoring how far clusters are areas"
    shell:
        "brainarch cluster-score {params.train:q} {params.test:q}"
        " --bootstrap {params.bootstrap} --seed {params.seed} --threads {threads}"
        " --output {output.score:q} 2>&1 | tee {log:q}"


rule gram:
    input:
        test=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="test",
        ),
    output:
        error=f"{RESULTS}/readout/gram_error.csv",
        blocks=f"{RESULTS}/readout/gram_blocks.csv",
        drawing=[
            directory(f"{RESULTS}/readout/gram_{network}.zarr")
            for network in CONFIG.readout.networks
        ],
    log:
        f"{LOGS}/gram.log",
    benchmark:
        f"{TIMES}/gram.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        test=by_network("--test", "test"),
        drawing=lambda wildcards, output: repeated(
            "--output-drawing",
            [f"{n}={p}" for n, p in zip(CONFIG.readout.networks, output.drawing, strict=True)],
        ),
        patches=min(CONFIG.readout.gram_patches, CONFIG.sampling.eval_patches),
        bootstrap=CONFIG.readout.bootstrap,
        seed=CONFIG.seed,
    message:
        "Measuring Gram matrices"
    shell:
        "brainarch gram {params.test:q} --patches-per-area {params.patches}"
        " --bootstrap {params.bootstrap} --seed {params.seed} --threads {threads}"
        " --output-error {output.error:q} --output-blocks {output.blocks:q} {params.drawing:q} 2>&1 | tee {log:q}"


rule pca:
    input:
        test=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="test",
        ),
    output:
        components=f"{RESULTS}/readout/pca.csv",
        variance=f"{RESULTS}/readout/pca_variance.csv",
    log:
        f"{LOGS}/pca.log",
    benchmark:
        f"{TIMES}/pca.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        test=by_network("--test", "test"),
        patches=min(CONFIG.readout.gram_patches, CONFIG.sampling.eval_patches),
        seed=CONFIG.seed,
    message:
        "Projecting representations onto principal components"
    shell:
        "brainarch pca {params.test:q} --patches-per-area {params.patches} --seed {params.seed}"
        " --threads {threads} --output {output.components:q}"
        " --output-variance {output.variance:q} 2>&1 | tee {log:q}"


rule relations:
    input:
        train=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="train",
        ),
        test=expand(
            rules.embed.output.representations,
            network=CONFIG.readout.networks,
            split="test",
        ),
    output:
        relations=f"{RESULTS}/readout/relations.csv",
        outliers=f"{RESULTS}/readout/outliers.csv",
    log:
        f"{LOGS}/relations.log",
    benchmark:
        f"{TIMES}/relations.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        train=by_network("--train", "train"),
        test=by_network("--test", "test"),
        bootstrap=CONFIG.readout.bootstrap,
        seed=CONFIG.seed,
    message:
        "Relating areas to each other"
    shell:
        "brainarch relations {params.train:q} {params.test:q}"
        " --bootstrap {params.bootstrap} --seed {params.seed} --threads {threads}"
        " --output {output.relations:q} --output-outliers {output.outliers:q} 2>&1 | tee {log:q}"
