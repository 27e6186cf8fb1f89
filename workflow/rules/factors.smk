"""NMF of the dense representation, and which factors predict areas and layers."""


use rule stage as factorize with:
    input:
        **read(PIPELINE.factorize()),
    output:
        **written(PIPELINE.factorize()),
    log:
        f"{LOGS}/factorize.log",
    benchmark:
        f"{TIMES}/factorize.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    threads: most_threads("factorize")
    resources:
        **asked("factorize"),
    params:
        verb="factorize",
        settings=PIPELINE.factorize().settings,
    message:
        "Factorising the representation of the fitted slices"


use rule stage as project with:
    input:
        **read(PIPELINE.project("{z}")),
    output:
        **written(PIPELINE.project("{z}")),
    log:
        f"{LOGS}/project-z{{z}}.log",
    benchmark:
        f"{TIMES}/project-z{{z}}.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    threads: most_threads("project")
    resources:
        **asked("project"),
    params:
        verb="project --slice {z}",
        settings=PIPELINE.project("{z}").settings,
    message:
        "Finding the coefficients of slice {wildcards.z} on the same basis"


ruleorder: factorize > project


use rule stage as select_areas with:
    input:
        **read(PIPELINE.select_areas()),
    output:
        **written(PIPELINE.select_areas()),
    log:
        f"{LOGS}/select-areas.log",
    benchmark:
        f"{TIMES}/select-areas.tsv"
    resources:
        **asked("select_areas"),
    params:
        verb="select-areas",
        settings=PIPELINE.select_areas().settings,
    message:
        "Selecting the factors that predict areas"


if CONFIG.layers is not None:

    use rule stage as select_layers with:
        input:
            **read(PIPELINE.select_layers()),
        output:
            **written(PIPELINE.select_layers()),
        log:
            f"{LOGS}/select-layers.log",
        benchmark:
            f"{TIMES}/select-layers.tsv"
        resources:
            **asked("select_layers"),
        params:
            verb="select-layers",
            settings=PIPELINE.select_layers().settings,
        message:
            "Selecting the factors that predict layers"


use rule stage as measure_selection with:
    input:
        **read(PIPELINE.measure_selection()),
    output:
        **written(PIPELINE.measure_selection()),
    log:
        f"{LOGS}/measure-selection.log",
    benchmark:
        f"{TIMES}/measure-selection.tsv"
    resources:
        **asked("measure_selection"),
    params:
        verb="measure-selection",
        settings=PIPELINE.measure_selection().settings,
    message:
        "Measuring what the selected factors share and give back"


use rule stage as explain_factors with:
    input:
        unpack(lambda wildcards: read(PIPELINE.explain_factors(int(wildcards.z)))),
    output:
        **written(PIPELINE.explain_factors("{z}")),
    log:
        f"{LOGS}/explain-factors-z{{z}}.log",
    benchmark:
        f"{TIMES}/explain-factors-z{{z}}.tsv"
    resources:
        **asked("explain_factors"),
    params:
        verb="explain-factors --slice {z}",
        settings=PIPELINE.explain_factors("{z}").settings,
    message:
        "Comparing the factors of slice {wildcards.z} with blobs, vessels and fibres"


if PIPELINE.compared_slices:

    use rule stage as align with:
        input:
            **read(PIPELINE.align()),
        output:
            **written(PIPELINE.align()),
        log:
            f"{LOGS}/align.log",
        benchmark:
            f"{TIMES}/align.tsv"
        resources:
            **asked("align"),
        params:
            verb="align",
            settings=PIPELINE.align().settings,
        message:
            "Aligning factors with areas on slices that were not fitted"
