"""Patches, the network that learns from them, and what it gets right on those it never saw."""


use rule stage as nonsense with:
    input:
        **read(PIPELINE.nonsense()),
    output:
        **written(PIPELINE.nonsense()),
    log:
        f"{LOGS}/nonsense.log",
    benchmark:
        f"{TIMES}/nonsense.tsv"
    resources:
        **asked("nonsense"),
    params:
        verb="nonsense",
        settings=PIPELINE.nonsense().settings,
    message:
        "Cutting nonsense areas"


use rule stage as sample with:
    input:
        unpack(lambda wildcards: read(PIPELINE.sample(wildcards.run))),
    output:
        **written(PIPELINE.sample("{run}")),
    log:
        f"{LOGS}/sample-{{run}}.log",
    benchmark:
        f"{TIMES}/sample-{{run}}.tsv"
    resources:
        **asked("sample"),
    params:
        verb="sample --run {run}",
        settings=lambda wildcards: PIPELINE.sample(wildcards.run).settings,
    message:
        "Sampling patches ({wildcards.run})"


use rule stage as train with:
    input:
        unpack(lambda wildcards: read(PIPELINE.train(wildcards.run))),
    output:
        **written(PIPELINE.train("{run}")),
    log:
        f"{LOGS}/train-{{run}}.log",
    benchmark:
        f"{TIMES}/train-{{run}}.tsv"
    threads: most_threads("train")
    resources:
        **asked("train"),
    params:
        verb="train --run {run}",
        settings=lambda wildcards: PIPELINE.train(wildcards.run).settings,
    message:
        "Training the network ({wildcards.run})"


if CONFIG.readout.authors is not None or PIPELINE.is_trained:

    use rule stage as take_network with:
        input:
            **read(PIPELINE.take_network()),
        output:
            **written(PIPELINE.take_network()),
        log:
            f"{LOGS}/take-network.log",
        benchmark:
            f"{TIMES}/take-network.tsv"
        resources:
            **asked("take_network"),
        params:
            verb="take-network",
            settings=PIPELINE.take_network().settings,
            files=lambda wildcards: PIPELINE.source_states.get("network"),
        message:
            "Taking a network that is trained already"

    ruleorder: take_network > train


use rule stage as train_unlabelled with:
    input:
        **read(PIPELINE.train_unlabelled()),
    output:
        **written(PIPELINE.train_unlabelled()),
    log:
        f"{LOGS}/train-unlabelled.log",
    benchmark:
        f"{TIMES}/train-unlabelled.tsv"
    threads: most_threads("train_unlabelled")
    resources:
        **asked("train_unlabelled"),
    params:
        verb="train-unlabelled",
        settings=PIPELINE.train_unlabelled().settings,
    message:
        "Training the network without labels"


use rule stage as write_untrained with:
    input:
        **read(PIPELINE.write_untrained()),
    output:
        **written(PIPELINE.write_untrained()),
    log:
        f"{LOGS}/write-untrained.log",
    benchmark:
        f"{TIMES}/write-untrained.tsv"
    resources:
        **asked("write_untrained"),
    params:
        verb="write-untrained",
        settings=PIPELINE.write_untrained().settings,
    message:
        "Writing the network as it is before training"


use rule stage as evaluate with:
    input:
        unpack(lambda wildcards: read(PIPELINE.evaluate(wildcards.run, wildcards.split))),
    output:
        **written(PIPELINE.evaluate("{run}", "{split}")),
    log:
        f"{LOGS}/evaluate-{{run}}-{{split}}.log",
    benchmark:
        f"{TIMES}/evaluate-{{run}}-{{split}}.tsv"
    resources:
        **asked("evaluate"),
    params:
        verb="evaluate --run {run} --split {split}",
        settings=lambda wildcards: PIPELINE.evaluate(wildcards.run, wildcards.split).settings,
    message:
        "Evaluating the network ({wildcards.run}) on sampled patches ({wildcards.split})"


if CONFIG.evaluation.new_brains:

    use rule stage as name_new_brains with:
        input:
            **read(PIPELINE.name_new_brains()),
        output:
            **written(PIPELINE.name_new_brains()),
        log:
            f"{LOGS}/name-new-brains.log",
        benchmark:
            f"{TIMES}/name-new-brains.tsv"
        threads: most_threads("name_new_brains")
        resources:
            **asked("name_new_brains"),
        params:
            verb="name-new-brains",
            settings=PIPELINE.name_new_brains().settings,
        message:
            "Naming slices of phantoms of other seeds"


if PIPELINE.plants_lesions:

    use rule stage as find_lesions with:
        input:
            **read(PIPELINE.find_lesions()),
        output:
            **written(PIPELINE.find_lesions()),
        log:
            f"{LOGS}/find-lesions.log",
        benchmark:
            f"{TIMES}/find-lesions.tsv"
        threads: most_threads("find_lesions")
        resources:
            **asked("find_lesions"),
        params:
            verb="find-lesions",
            settings=PIPELINE.find_lesions().settings,
        message:
            "Planting lesions and looking for them"


use rule stage as calibrate with:
    input:
        **read(PIPELINE.calibrate()),
    output:
        **written(PIPELINE.calibrate()),
    log:
        f"{LOGS}/calibrate.log",
    benchmark:
        f"{TIMES}/calibrate.tsv"
    resources:
        **asked("calibrate"),
    params:
        verb="calibrate",
        settings=PIPELINE.calibrate().settings,
    message:
        "Comparing confidence with right answers"


use rule stage as embed with:
    input:
        unpack(lambda wildcards: read(PIPELINE.embed(wildcards.network, wildcards.split))),
    output:
        **written(PIPELINE.embed("{network}", "{split}")),
    log:
        f"{LOGS}/embed-{{network}}-{{split}}.log",
    benchmark:
        f"{TIMES}/embed-{{network}}-{{split}}.tsv"
    resources:
        **asked("embed"),
    params:
        verb="embed --network {network} --split {split}",
        settings=PIPELINE.embed("{network}", "{split}").settings,
    message:
        "Representing the {wildcards.split} patches by {wildcards.network}"


use rule stage as embed_degraded with:
    input:
        unpack(lambda wildcards: read(PIPELINE.embed_degraded(wildcards.network))),
    output:
        **written(PIPELINE.embed_degraded("{network}")),
    log:
        f"{LOGS}/embed-degraded-{{network}}.log",
    benchmark:
        f"{TIMES}/embed-degraded-{{network}}.tsv"
    resources:
        **asked("embed_degraded"),
    params:
        verb="embed-degraded --network {network}",
        settings=PIPELINE.embed_degraded("{network}").settings,
    message:
        "Representing degraded test patches by {wildcards.network}"


use rule stage as embed_noise with:
    input:
        unpack(lambda wildcards: read(PIPELINE.embed_noise(wildcards.network))),
    output:
        **written(PIPELINE.embed_noise("{network}")),
    log:
        f"{LOGS}/embed-noise-{{network}}.log",
    benchmark:
        f"{TIMES}/embed-noise-{{network}}.tsv"
    resources:
        **asked("embed_noise"),
    params:
        verb="embed-noise --network {network}",
        settings=PIPELINE.embed_noise("{network}").settings,
    message:
        "Representing noisy test patches by {wildcards.network}"
