"""NMF of the dense representation, and which factors predict areas and layers."""


rule factorize:
    input:
        cube=expand(rules.extract.output.cube, z=named(FIT_SLICE)),
    output:
        basis=f"{RESULTS}/factors/basis.csv",
        coefficients=directory(f"{RESULTS}/factors/z{named(FIT_SLICE)}_coefficients.zarr"),
        fit=f"{RESULTS}/factors/fit.json",
    log:
        f"{LOGS}/factorize.log",
    benchmark:
        f"{TIMES}/factorize.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    conda:
        "../../envs/brainarch.yaml"
    threads: 1  # coordinate descent goes factor by factor
    resources:
        mem_mb=6000,
        runtime=240,
    params:
        factors=CONFIG.factorization.factors,
        iterations=CONFIG.factorization.max_iterations,
        tolerance=CONFIG.factorization.tolerance,
        seed=CONFIG.seed,
    message:
        "Factorising the representation of the fitted slice"
    shell:
        "brainarch factorize --cube {input.cube:q} --factors {params.factors}"
        " --max-iterations {params.iterations} --tolerance {params.tolerance}"
        " --seed {params.seed} --threads {threads} --output-basis {output.basis:q}"
        " --output-coefficients {output.coefficients:q} --output-fit {output.fit:q} 2>&1 | tee {log:q}"


rule project:
    input:
        cube=rules.extract.output.cube,
        basis=rules.factorize.output.basis,
    output:
        coefficients=directory(f"{RESULTS}/factors/z{{z}}_coefficients.zarr"),
        fit=f"{RESULTS}/factors/z{{z}}_fit.json",
    log:
        f"{LOGS}/project-z{{z}}.log",
    benchmark:
        f"{TIMES}/project-z{{z}}.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    conda:
        "../../envs/brainarch.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=120,
    message:
        "Finding the coefficients of slice {wildcards.z} on the same basis"
    shell:
        "brainarch project --cube {input.cube:q} --basis {input.basis:q} --threads {threads}"
        " --output {output.coefficients:q} --output-fit {output.fit:q} 2>&1 | tee {log:q}"


ruleorder: factorize > project


if FIT_SLICE in CONFIG.annotations.slices:

    rule select_areas:
        input:
            coefficients=coefficients_at([FIT_SLICE])[0],
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
        output:
            selected=f"{RESULTS}/factors/selection_areas.csv",
            scores=f"{RESULTS}/factors/scores_areas.csv",
        log:
            f"{LOGS}/select-areas.log",
        benchmark:
            f"{TIMES}/select-areas.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            leakage=CONFIG.selection.area_leakage,
            pairs=min(
                CONFIG.selection.area_count,
                len(CONFIG.areas),
                CONFIG.factorization.factors,
            ),
            threshold=CONFIG.selection.threshold,
        message:
            "Selecting the factors that predict areas"
        shell:
            "brainarch select --coefficients {input.coefficients:q} --labels {input.labels:q}"
            " --legend {input.legend:q} --target area --leakage {params.leakage} --count {params.pairs}"
            " --threshold {params.threshold} --output {output.selected:q}"
            " --output-scores {output.scores:q} 2>&1 | tee {log:q}"


if FIT_SLICE in LAYER_SLICES:

    rule select_layers:
        input:
            coefficients=coefficients_at([FIT_SLICE])[0],
            labels=rules.import_layers.output.labels,
            legend=rules.import_layers.output.legend,
        output:
            selected=f"{RESULTS}/factors/selection_layers.csv",
            scores=f"{RESULTS}/factors/scores_layers.csv",
        log:
            f"{LOGS}/select-layers.log",
        benchmark:
            f"{TIMES}/select-layers.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            leakage=CONFIG.selection.layer_leakage,
            pairs=min(
                CONFIG.selection.layer_count,
                len(CONFIG.layers.names),
                CONFIG.factorization.factors,
            ),
            threshold=CONFIG.selection.threshold,
        message:
            "Selecting the factors that predict layers"
        shell:
            "brainarch select --coefficients {input.coefficients:q} --labels {input.labels:q}"
            " --legend {input.legend:q} --target layer --leakage {params.leakage} --count {params.pairs}"
            " --threshold {params.threshold} --output {output.selected:q}"
            " --output-scores {output.scores:q} 2>&1 | tee {log:q}"


if FIT_SLICE in LABELLED_SLICES and len(LABELLED_SLICES) > 1:

    rule align:
        input:
            fitted=coefficients_at([FIT_SLICE])[0],
            others=coefficients_at(LABELLED_SLICES[1:]),
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
            layers=rules.import_layers.output if LAYER_SLICES == LABELLED_SLICES else [],
        output:
            alignment=f"{RESULTS}/factors/alignment.csv",
            chosen=f"{RESULTS}/factors/alignment_chosen.csv",
            summary=f"{RESULTS}/factors/alignment.json",
        log:
            f"{LOGS}/align.log",
        benchmark:
            f"{TIMES}/align.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            others=lambda wildcards, input: repeated("--other", input.others),
            layers=lambda wildcards, input: (
                ["--layers", input.layers[0], "--layers-legend", input.layers[1]]
                if input.layers
                else []
            ),
            nulls=CONFIG.discovery.nulls if CONFIG.discovery else 200,
            seed=CONFIG.seed,
        message:
            "Aligning factors with areas on slices that were not fitted"
        shell:
            "brainarch align --fitted {input.fitted:q} {params.others:q} --labels {input.labels:q}"
            " --legend {input.legend:q} {params.layers:q} --nulls {params.nulls} --seed {params.seed}"
            " --output {output.alignment:q} --output-chosen {output.chosen:q}"
            " --output-summary {output.summary:q} 2>&1 | tee {log:q}"
