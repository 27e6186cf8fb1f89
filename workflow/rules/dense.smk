"""The representation at every pixel of a slice: exact, planned, proven; and the area map."""


use rule stage as plan with:
    input:
        **read(PIPELINE.plan()),
    output:
        **written(PIPELINE.plan()),
    log:
        f"{LOGS}/plan.log",
    benchmark:
        f"{TIMES}/plan.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    threads: most_threads("plan")
    resources:
        **asked("plan"),
    params:
        verb="plan",
        settings=PIPELINE.plan().settings,
    message:
        "Planning the dense extraction"


use rule stage as extract with:
    input:
        **read(PIPELINE.extract("{z}")),
    output:
        **written(PIPELINE.extract("{z}")),
    log:
        f"{LOGS}/extract-z{{z}}.log",
    benchmark:
        f"{TIMES}/extract-z{{z}}.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    threads: most_threads("extract")
    resources:
        **asked("extract"),
    params:
        verb="extract --slice {z}",
        settings=PIPELINE.extract("{z}").settings,
    message:
        "Extracting the representation at every pixel of slice {wildcards.z}"


use rule stage as prove with:
    input:
        **read(PIPELINE.prove("{z}")),
    output:
        **written(PIPELINE.prove("{z}")),
    log:
        f"{LOGS}/prove-z{{z}}.log",
    benchmark:
        f"{TIMES}/prove-z{{z}}.tsv"
    resources:
        **asked("prove"),
    params:
        verb="prove --slice {z}",
        settings=PIPELINE.prove("{z}").settings,
    message:
        "Recomputing random windows of slice {wildcards.z} one by one"


use rule stage as fit_novelty with:
    input:
        **read(PIPELINE.fit_novelty()),
    output:
        **written(PIPELINE.fit_novelty()),
    log:
        f"{LOGS}/fit-novelty.log",
    benchmark:
        f"{TIMES}/fit-novelty.tsv"
    resources:
        **asked("fit_novelty"),
    params:
        verb="fit-novelty",
        settings=PIPELINE.fit_novelty().settings,
    message:
        "Describing what is usual in the training areas"


use rule stage as predict with:
    input:
        **read(PIPELINE.predict("{z}")),
    output:
        **written(PIPELINE.predict("{z}")),
    log:
        f"{LOGS}/predict-z{{z}}.log",
    benchmark:
        f"{TIMES}/predict-z{{z}}.tsv"
    resources:
        **asked("predict"),
    params:
        verb="predict --slice {z}",
        settings=PIPELINE.predict("{z}").settings,
    message:
        "Mapping the areas of slice {wildcards.z}"
