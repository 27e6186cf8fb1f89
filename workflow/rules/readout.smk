"""What the representations of sampled patches say about areas: classifiers, clusters, geometry."""


use rule stage as classify with:
    input:
        **read(PIPELINE.classify()),
    output:
        **written(PIPELINE.classify()),
    log:
        f"{LOGS}/classify.log",
    benchmark:
        f"{TIMES}/classify.tsv"
    resources:
        **asked("classify"),
    params:
        verb="classify",
        settings=PIPELINE.classify().settings,
    message:
        "Fitting classifiers on the representations"


use rule stage as compare_assignments with:
    input:
        **read(PIPELINE.compare_assignments()),
    output:
        **written(PIPELINE.compare_assignments()),
    log:
        f"{LOGS}/compare-assignments.log",
    benchmark:
        f"{TIMES}/compare-assignments.tsv"
    resources:
        **asked("compare_assignments"),
    params:
        verb="compare-assignments",
        settings=PIPELINE.compare_assignments().settings,
    message:
        "Comparing networks over all assignments of parts to splits"


use rule stage as probe_labels with:
    input:
        **read(PIPELINE.probe_labels()),
    output:
        **written(PIPELINE.probe_labels()),
    log:
        f"{LOGS}/probe-labels.log",
    benchmark:
        f"{TIMES}/probe-labels.tsv"
    resources:
        **asked("probe_labels"),
    params:
        verb="probe-labels",
        settings=PIPELINE.probe_labels().settings,
    message:
        "Probing representations with few labels"


use rule stage as score_degraded with:
    input:
        **read(PIPELINE.score_degraded()),
    output:
        **written(PIPELINE.score_degraded()),
    log:
        f"{LOGS}/score-degraded.log",
    benchmark:
        f"{TIMES}/score-degraded.tsv"
    resources:
        **asked("score_degraded"),
    params:
        verb="score-degraded",
        settings=PIPELINE.score_degraded().settings,
    message:
        "Scoring classifiers on degraded patches"


use rule stage as cluster_score with:
    input:
        **read(PIPELINE.cluster_score()),
    output:
        **written(PIPELINE.cluster_score()),
    log:
        f"{LOGS}/cluster-score.log",
    benchmark:
        f"{TIMES}/cluster-score.tsv"
    resources:
        **asked("cluster_score"),
    params:
        verb="cluster-score",
        settings=PIPELINE.cluster_score().settings,
    message:
        "Scoring how far clusters are areas"


use rule stage as gram with:
    input:
        **read(PIPELINE.gram()),
    output:
        **written(PIPELINE.gram()),
    log:
        f"{LOGS}/gram.log",
    benchmark:
        f"{TIMES}/gram.tsv"
    resources:
        **asked("gram"),
    params:
        verb="gram",
        settings=PIPELINE.gram().settings,
    message:
        "Measuring Gram matrices"


use rule stage as pca with:
    input:
        **read(PIPELINE.pca()),
    output:
        **written(PIPELINE.pca()),
    log:
        f"{LOGS}/pca.log",
    benchmark:
        f"{TIMES}/pca.tsv"
    resources:
        **asked("pca"),
    params:
        verb="pca",
        settings=PIPELINE.pca().settings,
    message:
        "Projecting representations onto principal components"


use rule stage as relations with:
    input:
        **read(PIPELINE.relations()),
    output:
        **written(PIPELINE.relations()),
    log:
        f"{LOGS}/relations.log",
    benchmark:
        f"{TIMES}/relations.tsv"
    resources:
        **asked("relations"),
    params:
        verb="relations",
        settings=PIPELINE.relations().settings,
    message:
        "Relating areas to each other"
