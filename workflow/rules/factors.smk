"""NMF of the dense representation, and which factors predict areas and layers."""

if PIPELINE.fit_slices:

    use rule stage as factorize with:
        input:
            **read(PIPELINE.factorize("{network}")),
        output:
            **written(PIPELINE.factorize("{network}")),
        log:
            f"{LOGS}/factorize-{{network}}.log",
        benchmark:
            f"{TIMES}/factorize-{{network}}.tsv"
        priority: 10  # the longest way to the end: early, beside small jobs
        threads: most_threads("factorize")
        resources:
            **asked("factorize"),
        params:
            verb="factorize --network {network}",
            settings=PIPELINE.factorize("{network}").settings,
        message:
            "Factorising the representation of the fitted slices ({wildcards.network})"

    ruleorder: factorize > project

else:

    use rule stage as take_basis with:
        input:
            **read(PIPELINE.take_basis()),
        output:
            **written(PIPELINE.take_basis()),
        log:
            f"{LOGS}/take-basis.log",
        benchmark:
            f"{TIMES}/take-basis.tsv"
        resources:
            **asked("take_basis"),
        params:
            verb="take-basis",
            settings=PIPELINE.take_basis().settings,
            files=lambda wildcards: PIPELINE.source_states.get("basis"),
        message:
            "Taking a basis that is fitted already"


if CONFIG.factorization.sweep is not None:

    use rule stage as sweep_ranks with:
        input:
            **read(PIPELINE.sweep_ranks()),
        output:
            **written(PIPELINE.sweep_ranks()),
        log:
            f"{LOGS}/sweep-ranks.log",
        benchmark:
            f"{TIMES}/sweep-ranks.tsv"
        resources:
            **asked("sweep_ranks"),
        params:
            verb="sweep-ranks",
            settings=PIPELINE.sweep_ranks().settings,
        message:
            "Comparing numbers of factors on a sample"


use rule stage as project with:
    input:
        **read(PIPELINE.project("{z}", "{network}")),
    output:
        **written(PIPELINE.project("{z}", "{network}")),
    log:
        f"{LOGS}/project-z{{z}}-{{network}}.log",
    benchmark:
        f"{TIMES}/project-z{{z}}-{{network}}.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    threads: most_threads("project")
    resources:
        **asked("project"),
    params:
        verb="project --network {network} --slice {z}",
        settings=PIPELINE.project("{z}", "{network}").settings,
    message:
        "Finding the coefficients of slice {wildcards.z} on the same basis ({wildcards.network})"


use rule stage as select_areas with:
    input:
        **read(PIPELINE.select_areas("{network}")),
    output:
        **written(PIPELINE.select_areas("{network}")),
    log:
        f"{LOGS}/select-areas-{{network}}.log",
    benchmark:
        f"{TIMES}/select-areas-{{network}}.tsv"
    resources:
        **asked("select_areas"),
    params:
        verb="select-areas --network {network}",
        settings=PIPELINE.select_areas("{network}").settings,
    message:
        "Selecting the factors that predict areas ({wildcards.network})"


if CONFIG.layers is not None:

    use rule stage as select_layers with:
        input:
            **read(PIPELINE.select_layers("{network}")),
        output:
            **written(PIPELINE.select_layers("{network}")),
        log:
            f"{LOGS}/select-layers-{{network}}.log",
        benchmark:
            f"{TIMES}/select-layers-{{network}}.tsv"
        resources:
            **asked("select_layers"),
        params:
            verb="select-layers --network {network}",
            settings=PIPELINE.select_layers("{network}").settings,
        message:
            "Selecting the factors that predict layers ({wildcards.network})"


use rule stage as measure_selection with:
    input:
        **read(PIPELINE.measure_selection("{network}")),
    output:
        **written(PIPELINE.measure_selection("{network}")),
    log:
        f"{LOGS}/measure-selection-{{network}}.log",
    benchmark:
        f"{TIMES}/measure-selection-{{network}}.tsv"
    resources:
        **asked("measure_selection"),
    params:
        verb="measure-selection --network {network}",
        settings=PIPELINE.measure_selection("{network}").settings,
    message:
        "Measuring what the selected factors share and give back ({wildcards.network})"


use rule stage as explain_factors with:
    input:
        unpack(
            lambda wildcards: read(PIPELINE.explain_factors(int(wildcards.z), wildcards.network))
        ),
    output:
        **written(PIPELINE.explain_factors("{z}", "{network}")),
    log:
        f"{LOGS}/explain-factors-z{{z}}-{{network}}.log",
    benchmark:
        f"{TIMES}/explain-factors-z{{z}}-{{network}}.tsv"
    resources:
        **asked("explain_factors"),
    params:
        verb="explain-factors --network {network} --slice {z}",
        settings=PIPELINE.explain_factors("{z}", "{network}").settings,
    message:
        "Comparing the factors of slice {wildcards.z} with blobs, vessels and fibres ({wildcards.network})"


if PIPELINE.extracted[1:]:

    use rule stage as compare_networks with:
        input:
            unpack(lambda wildcards: read(PIPELINE.compare_networks(int(wildcards.z)))),
        output:
            **written(PIPELINE.compare_networks("{z}")),
        log:
            f"{LOGS}/compare-networks-z{{z}}.log",
        benchmark:
            f"{TIMES}/compare-networks-z{{z}}.tsv"
        resources:
            **asked("compare_networks"),
        params:
            verb="compare-networks --slice {z}",
            settings=PIPELINE.compare_networks("{z}").settings,
        message:
            "Matching factors and components of the networks on slice {wildcards.z}"


if PIPELINE.compared_slices:

    use rule stage as align with:
        input:
            **read(PIPELINE.align("{network}")),
        output:
            **written(PIPELINE.align("{network}")),
        log:
            f"{LOGS}/align-{{network}}.log",
        benchmark:
            f"{TIMES}/align-{{network}}.tsv"
        resources:
            **asked("align"),
        params:
            verb="align --network {network}",
            settings=PIPELINE.align("{network}").settings,
        message:
            "Aligning factors with areas on slices that were not fitted ({wildcards.network})"

    use rule stage as baselines with:
        input:
            **read(PIPELINE.baselines()),
        output:
            **written(PIPELINE.baselines()),
        log:
            f"{LOGS}/baselines.log",
        benchmark:
            f"{TIMES}/baselines.tsv"
        resources:
            **asked("baselines"),
        params:
            verb="baselines",
            settings=PIPELINE.baselines().settings,
        message:
            "Measuring what tells areas apart without factors"

    if PIPELINE.is_phantom:

        use rule stage as find_planted with:
            input:
                **read(PIPELINE.find_planted()),
            output:
                **written(PIPELINE.find_planted()),
            log:
                f"{LOGS}/find-planted.log",
            benchmark:
                f"{TIMES}/find-planted.tsv"
            resources:
                **asked("find_planted"),
            params:
                verb="find-planted",
                settings=PIPELINE.find_planted().settings,
            message:
                "Looking for what was planted inside areas"
