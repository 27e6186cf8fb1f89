"""Both papers' figures, each with the table that it plots."""

#: Files that only some datasets have; an empty list leaves the panel out.
FIT_LABELLED = FIT_SLICE in LABELLED_SLICES
FIT_LAYERS = (
    [rules.import_layers.output.labels, rules.import_layers.output.legend]
    if FIT_SLICE in LAYER_SLICES
    else []
)
TWO_SLICES = FIT_LABELLED and len(LABELLED_SLICES) > 1


rule V1:
    input:
        volume=rules.convert.output.volume,
        labels=rules.import_areas.output.labels,
        legend=rules.import_areas.output.legend,
        network=expand(rules.train.output.network, run="main"),
        representations=expand(rules.embed.output.representations, network="cnn", split="test"),
        prediction=(
            at_slices(f"{RESULTS}/prediction/z{{z}}_areas.zarr", TEST_SLICES[:1])
            if TEST_SLICES[0] in LABELLED_SLICES
            else []
        ),
    output:
        png=report(
            f"{RESULTS}/figures/V1_overview.png",
            category="Paper V",
            caption="../report/V1_overview.rst",
            labels={"figure": "V1 overview"},
        ),
        pdf=f"{RESULTS}/figures/V1_overview.pdf",
        table=f"{RESULTS}/figures/V1_overview.csv",
    log:
        f"{LOGS}/V1.log",
    benchmark:
        f"{TIMES}/V1.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        prefix=figure_prefix,
        slice=TEST_SLICES[0],
        prediction=optional("--prediction", "prediction"),
        seed=CONFIG.seed,
    message:
        "Drawing figure V1: the method, from data"
    shell:
        "brainarch plot-overview --volume {input.volume:q} --labels {input.labels:q} --legend {input.legend:q}"
        " --slice {params.slice} --checkpoint {input.network:q}"
        " --representations {input.representations:q} {params.prediction:q} --seed {params.seed}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


rule V2:
    input:
        volume=rules.convert.output.volume,
        labels=rules.import_areas.output.labels,
        legend=rules.import_areas.output.legend,
        table=rules.import_areas.output.table,
        patches=expand(PATCHES.train, run="main"),
    output:
        png=report(
            f"{RESULTS}/figures/V2_annotations.png",
            category="Paper V",
            caption="../report/V2_annotations.rst",
            labels={"figure": "V2 annotated slice"},
        ),
        pdf=f"{RESULTS}/figures/V2_annotations.pdf",
        table=f"{RESULTS}/figures/V2_annotations.csv",
    log:
        f"{LOGS}/V2.log",
    benchmark:
        f"{TIMES}/V2.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        prefix=figure_prefix,
        slice=TRAIN_SLICES[0],
        seed=CONFIG.seed,
    message:
        "Drawing figure V2: annotated slice and example patches"
    shell:
        "brainarch plot-annotations --volume {input.volume:q} --labels {input.labels:q} --legend {input.legend:q}"
        " --slice {params.slice} --area-table {input.table:q} --patches {input.patches:q}"
        " --seed {params.seed}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


if FIT_LABELLED:

    rule V3:
        input:
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
            prediction=expand(rules.predict.output.areas, z=named(FIT_SLICE)),
            confusion=expand(rules.predict.output.confusion, z=named(FIT_SLICE)),
            metrics=expand(rules.predict.output.metrics, z=named(FIT_SLICE)),
            border=expand(rules.predict.output.border, z=named(FIT_SLICE)),
            sampled_confusion=expand(rules.evaluate.output.confusion, run="main", split="test"),
            sampled_metrics=expand(rules.evaluate.output.metrics, run="main", split="test"),
        output:
            png=report(
                f"{RESULTS}/figures/V3_scale.png",
                category="Paper V",
                caption="../report/V3_scale.rst",
                labels={"figure": "V3 at scale"},
            ),
            pdf=f"{RESULTS}/figures/V3_scale.pdf",
            table=f"{RESULTS}/figures/V3_scale.csv",
        log:
            f"{LOGS}/V3.log",
        benchmark:
            f"{TIMES}/V3.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            prefix=figure_prefix,
        message:
            "Drawing figure V3: areas at scale"
        shell:
            "brainarch plot-scale --labels {input.labels:q} --legend {input.legend:q}"
            " --prediction {input.prediction:q} --confusion {input.confusion:q}"
            " --metrics {input.metrics:q} --border {input.border:q}"
            " --sampled-confusion {input.sampled_confusion:q} --sampled-metrics {input.sampled_metrics:q}"
            " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


rule V4:
    input:
        legend=rules.import_areas.output.legend,
        classifiers=rules.classify.output.classifiers,
        noise=rules.classify.output.noise,
        mixture=rules.cluster_score.output.score,
    output:
        png=report(
            f"{RESULTS}/figures/V4_classifiers.png",
            category="Paper V",
            caption="../report/V4_classifiers.rst",
            labels={"figure": "V4 classifiers"},
        ),
        pdf=f"{RESULTS}/figures/V4_classifiers.pdf",
        table=f"{RESULTS}/figures/V4_classifiers.csv",
    log:
        f"{LOGS}/V4.log",
    benchmark:
        f"{TIMES}/V4.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        prefix=figure_prefix,
    message:
        "Drawing figure V4: classifiers and noise"
    shell:
        "brainarch plot-classifiers --legend {input.legend:q} --classifiers {input.classifiers:q}"
        " --noise {input.noise:q} --mixture {input.mixture:q}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


rule V5:
    input:
        legend=rules.import_areas.output.legend,
        errors=rules.gram.output.error,
        blocks=rules.gram.output.blocks,
        drawing=rules.gram.output.drawing,
        components=rules.pca.output.components,
        variance=rules.pca.output.variance,
    output:
        png=report(
            f"{RESULTS}/figures/V5_gram_pca.png",
            category="Paper V",
            caption="../report/V5_gram_pca.rst",
            labels={"figure": "V5 Gram matrices"},
        ),
        pdf=f"{RESULTS}/figures/V5_gram_pca.pdf",
        table=f"{RESULTS}/figures/V5_gram_pca.csv",
    log:
        f"{LOGS}/V5.log",
    benchmark:
        f"{TIMES}/V5.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        prefix=figure_prefix,
        drawing=pairs("--drawing", "drawing", CONFIG.readout.networks),
    message:
        "Drawing figure V5: Gram matrices and principal components"
    shell:
        "brainarch plot-gram --legend {input.legend:q} --errors {input.errors:q}"
        " --blocks {input.blocks:q} {params.drawing:q} --components {input.components:q}"
        " --variance {input.variance:q}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


if CONFIG.discovery is not None and FIT_LABELLED:

    rule V6:
        input:
            volume=rules.convert.output.volume,
            legend=rules.import_areas.output.legend,
            map=expand(rules.cluster_area.output.map, z=named(FIT_SLICE)),
            profiles=expand(
                rules.profile_components.output.profiles,
                kind="clusters",
                z=named(FIT_SLICE),
            ),
            depth=expand(rules.depth.output.depth, z=named(FIT_SLICE)),
            layers=FIT_LAYERS[:1],
            layers_legend=FIT_LAYERS[1:],
            agreement=(
                expand(
                    rules.compare_layers.output.agreement,
                    kind="clusters",
                    z=named(FIT_SLICE),
                )
                if FIT_LAYERS
                else []
            ),
        output:
            png=report(
                f"{RESULTS}/figures/V6_cortex.png",
                category="Paper V",
                caption="../report/V6_cortex.rst",
                labels={"figure": "V6 clusters by depth"},
            ),
            pdf=f"{RESULTS}/figures/V6_cortex.pdf",
            table=f"{RESULTS}/figures/V6_cortex.csv",
        log:
            f"{LOGS}/V6.log",
        benchmark:
            f"{TIMES}/V6.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            prefix=figure_prefix,
            layers=optional("--layers", "layers"),
            layers_legend=optional("--layers-legend", "layers_legend"),
            agreement=optional("--agreement", "agreement"),
        message:
            "Drawing figure V6: clusters by depth"
        shell:
            "brainarch plot-clusters --volume {input.volume:q} --legend {input.legend:q}"
            " --map {input.map:q} --profiles {input.profiles:q} --depth {input.depth:q}"
            " {params.layers:q} {params.layers_legend:q} {params.agreement:q}"
            " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


rule M1:
    input:
        volume=rules.convert.output.volume,
        legend=rules.import_areas.output.legend,
        cube=expand(rules.extract.output.cube, z=named(FIT_SLICE)),
        basis=rules.factorize.output.basis,
        coefficients=rules.factorize.output.coefficients,
        fit=rules.factorize.output.fit,
        selection=[rules.select_areas.output.selected] if FIT_LABELLED else [],
    output:
        png=report(
            f"{RESULTS}/figures/M1_overview.png",
            category="Paper M",
            caption="../report/M1_overview.rst",
            labels={"figure": "M1 overview"},
        ),
        pdf=f"{RESULTS}/figures/M1_overview.pdf",
        table=f"{RESULTS}/figures/M1_overview.csv",
    log:
        f"{LOGS}/M1.log",
    benchmark:
        f"{TIMES}/M1.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        prefix=figure_prefix,
        selection=optional("--selection", "selection"),
    message:
        "Drawing figure M1: from the representation to factors"
    shell:
        "brainarch plot-factorization --volume {input.volume:q} --cube {input.cube:q}"
        " --basis {input.basis:q} --coefficients {input.coefficients:q} --fit {input.fit:q}"
        " --legend {input.legend:q} {params.selection:q}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


if FIT_LABELLED:

    rule M2:
        input:
            volume=rules.convert.output.volume,
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
            coefficients=rules.factorize.output.coefficients,
            selection=rules.select_areas.output.selected,
            alignment=[rules.align.output.alignment] if TWO_SLICES else [],
            maps=(
                at_slices(f"{RESULTS}/discovery/z{{z}}_components.zarr", LABELLED_SLICES[:2])
                if CONFIG.discovery
                else []
            ),
            profiles=(
                at_slices(
                    f"{RESULTS}/discovery/z{{z}}_components_profiles.csv",
                    LABELLED_SLICES[:2],
                )
                if CONFIG.discovery
                else []
            ),
            matches=(
                [rules.match_components.output.matches] if CONFIG.discovery and TWO_SLICES else []
            ),
            agreement=(
                at_slices(
                    f"{RESULTS}/discovery/z{{z}}_components_agreement.csv",
                    LAYER_SLICES[:2],
                )
                if CONFIG.discovery
                else []
            ),
            layers=FIT_LAYERS[:1],
            layers_legend=FIT_LAYERS[1:],
            layer_selection=[rules.select_layers.output.selected] if FIT_LAYERS else [],
        output:
            png=report(
                f"{RESULTS}/figures/M2_factors.png",
                category="Paper M",
                caption="../report/M2_factors.rst",
                labels={"figure": "M2 factors and components"},
            ),
            pdf=f"{RESULTS}/figures/M2_factors.pdf",
            table=f"{RESULTS}/figures/M2_factors.csv",
        log:
            f"{LOGS}/M2.log",
        benchmark:
            f"{TIMES}/M2.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            prefix=figure_prefix,
            alignment=optional("--alignment", "alignment"),
            maps=optional("--map", "maps"),
            profiles=optional("--profiles", "profiles"),
            matches=optional("--matches", "matches"),
            agreement=optional("--agreement", "agreement"),
            layers=optional("--layers", "layers"),
            layers_legend=optional("--layers-legend", "layers_legend"),
            layer_selection=optional("--layer-selection", "layer_selection"),
        message:
            "Drawing figure M2: factors and components"
        shell:
            "brainarch plot-factors --volume {input.volume:q} --labels {input.labels:q} --legend {input.legend:q}"
            " --coefficients {input.coefficients:q} --selection {input.selection:q}"
            " {params.alignment:q} {params.maps:q} {params.profiles:q} {params.matches:q}"
            " {params.agreement:q} {params.layers:q} {params.layers_legend:q} {params.layer_selection:q}"
            " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


rule learning_curves:
    input:
        legend=rules.import_areas.output.legend,
        curves=expand(rules.train.output.curves, run=RUNS),
    output:
        png=report(
            f"{RESULTS}/figures/learning_curves.png",
            category="Controls",
            caption="../report/learning_curves.rst",
            labels={"figure": "Learning curves"},
        ),
        pdf=f"{RESULTS}/figures/learning_curves.pdf",
        table=f"{RESULTS}/figures/learning_curves.csv",
    log:
        f"{LOGS}/learning-curves.log",
    benchmark:
        f"{TIMES}/learning-curves.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        prefix=figure_prefix,
        curves=pairs("--curves", "curves", RUNS),
    message:
        "Drawing the learning curves"
    shell:
        "brainarch plot-learning-curves --legend {input.legend:q} {params.curves:q}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


#: Figures of each paper, as far as this dataset has what they need.
VARIABILITY = [rules.V1, rules.V2, rules.V4, rules.V5, rules.learning_curves]
MICROARCHITECTURE = [rules.M1]
if FIT_LABELLED:
    VARIABILITY.append(rules.V3)
    MICROARCHITECTURE.append(rules.M2)
if FIT_LABELLED and CONFIG.discovery is not None:
    VARIABILITY.append(rules.V6)


rule variability:
    input:
        [figure.output for figure in VARIABILITY],
        rules.relations.output,


rule microarchitecture:
    input:
        [figure.output for figure in MICROARCHITECTURE],


rule figures:
    input:
        [figure.output for figure in VARIABILITY + MICROARCHITECTURE],
