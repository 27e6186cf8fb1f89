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
        unpack(lambda wildcards: read(PIPELINE.extract(int(wildcards.z), wildcards.network))),
    output:
        **written(PIPELINE.extract("{z}", "{network}")),
    log:
        f"{LOGS}/extract-z{{z}}-{{network}}.log",
    benchmark:
        f"{TIMES}/extract-z{{z}}-{{network}}.tsv"
    priority: 10  # the longest way to the end: early, beside small jobs
    threads: most_threads("extract")
    resources:
        **asked("extract"),
    params:
        verb="extract --network {network} --slice {z}",
        settings=PIPELINE.extract("{z}", "{network}").settings,
    message:
        "Extracting the representation at every pixel of slice {wildcards.z} ({wildcards.network})"


use rule stage as prove with:
    input:
        unpack(lambda wildcards: read(PIPELINE.prove(int(wildcards.z), wildcards.network))),
    output:
        **written(PIPELINE.prove("{z}", "{network}")),
    log:
        f"{LOGS}/prove-z{{z}}-{{network}}.log",
    benchmark:
        f"{TIMES}/prove-z{{z}}-{{network}}.tsv"
    resources:
        **asked("prove"),
    params:
        verb="prove --network {network} --slice {z}",
        settings=PIPELINE.prove("{z}", "{network}").settings,
    message:
        "Recomputing random windows of slice {wildcards.z} one by one ({wildcards.network})"


use rule stage as fit_novelty with:
    input:
        unpack(lambda wildcards: read(PIPELINE.fit_novelty(wildcards.run))),
    output:
        **written(PIPELINE.fit_novelty("{run}")),
    log:
        f"{LOGS}/fit-novelty-{{run}}.log",
    benchmark:
        f"{TIMES}/fit-novelty-{{run}}.tsv"
    resources:
        **asked("fit_novelty"),
    params:
        verb="fit-novelty --run {run}",
        settings=PIPELINE.fit_novelty("{run}").settings,
    message:
        "Describing what is usual in the training areas ({wildcards.run})"


use rule stage as predict with:
    input:
        unpack(lambda wildcards: read(PIPELINE.predict(int(wildcards.z), wildcards.network))),
    output:
        **written(PIPELINE.predict("{z}", "{network}")),
    log:
        f"{LOGS}/predict-z{{z}}-{{network}}.log",
    benchmark:
        f"{TIMES}/predict-z{{z}}-{{network}}.tsv"
    resources:
        **asked("predict"),
    params:
        verb="predict --network {network} --slice {z}",
        settings=PIPELINE.predict("{z}", "{network}").settings,
    message:
        "Mapping the areas of slice {wildcards.z} ({wildcards.network})"
