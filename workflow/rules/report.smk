"""Both papers' figures, each with the table that it plots, and the page that sums a run up."""


use rule stage as figure with:
    input:
        unpack(lambda wildcards: read(PIPELINE.figure(wildcards.figure))),
    output:
        png=report(
            PIPELINE.results.figure("{figure}", ".png"),
            category=lambda wildcards: SHOWN[wildcards.figure].category,
            caption="../report/figure.rst",
            labels={"figure": "{figure}"},
        ),
        pdf=PIPELINE.results.figure("{figure}", ".pdf"),
        table=PIPELINE.results.figure("{figure}", ".csv"),
    log:
        f"{LOGS}/figure-{{figure}}.log",
    benchmark:
        f"{TIMES}/figure-{{figure}}.tsv"
    resources:
        **asked("figure"),
    params:
        verb="figure --figure {figure}",
        settings=lambda wildcards: PIPELINE.figure(wildcards.figure).settings,
        # for the report; being derived, it is no reason to draw again
        shown=lambda wildcards, output: SHOWN[wildcards.figure],
    message:
        "Drawing {wildcards.figure}"


use rule stage as draw_maps with:
    input:
        unpack(lambda wildcards: read(PIPELINE.draw_maps(int(wildcards.z)))),
    output:
        **written(PIPELINE.draw_maps("{z}")),
    log:
        f"{LOGS}/draw-maps-z{{z}}.log",
    benchmark:
        f"{TIMES}/draw-maps-z{{z}}.tsv"
    resources:
        **asked("draw_maps"),
    params:
        verb="draw-maps --slice {z}",
        settings=lambda wildcards: PIPELINE.draw_maps(int(wildcards.z)).settings,
    message:
        "Drawing what the network says of slice {wildcards.z}"


rule V1:
    input:
        one("V1_overview"),


rule V2:
    input:
        one("V2_annotations"),


rule V3:
    input:
        one("V3_scale"),


rule V4:
    input:
        one("V4_classifiers"),


rule V5:
    input:
        one("V5_gram"),


rule V6:
    input:
        one("V6_clusters"),


rule V7:
    input:
        one("V7_relations"),


rule V8:
    input:
        one("V8_outliers"),


rule M1:
    input:
        one("M1_factorization"),


rule M2:
    input:
        one("M2_factors"),


rule M3:
    input:
        one("M3_meaning"),


rule M4:
    input:
        one("M4_typical"),


rule M5:
    input:
        one("M5_ranks"),


rule variability:
    input:
        drawn("Paper V", "Controls"),


rule microarchitecture:
    input:
        drawn("Paper M"),
        [] if "labels" in PIPELINE.lacks else list(PIPELINE.measure_selection().outputs.values()),
        list(PIPELINE.explain_factors(PIPELINE.fit_slice).outputs.values()),


rule figures:
    input:
        drawn("Paper V", "Paper M", "Controls"),


use rule stage as report with:
    input:
        **read(PIPELINE.report()),
    output:
        **{
            **written(PIPELINE.report()),
            "page": report(
                PIPELINE.report().outputs["page"],
                category="Summary",
                caption="../report/summary.rst",
                labels={"page": "Summary"},
            ),
        },
    log:
        f"{LOGS}/report.log",
    benchmark:
        f"{TIMES}/report.tsv"
    resources:
        **asked("report"),
    params:
        verb="report",
        settings=PIPELINE.report().settings,
    message:
        "Writing the summary page"


use rule stage as explore with:
    input:
        **read(PIPELINE.explore()),
    output:
        **{
            **written(PIPELINE.explore()),
            "page": report(
                PIPELINE.explore().outputs["page"],
                category="Summary",
                caption="../report/explore.rst",
                labels={"page": "Explore"},
            ),
        },
    log:
        f"{LOGS}/explore.log",
    benchmark:
        f"{TIMES}/explore.tsv"
    resources:
        **asked("explore"),
    params:
        verb="explore",
        settings=PIPELINE.explore().settings,
    message:
        "Writing the page to explore slices in"


use rule stage as explore_slice with:
    input:
        unpack(lambda wildcards: read(PIPELINE.explore_slice(int(wildcards.z)))),
    output:
        **written(PIPELINE.explore_slice("{z}")),
    log:
        f"{LOGS}/explore-z{{z}}.log",
    benchmark:
        f"{TIMES}/explore-z{{z}}.tsv"
    resources:
        **asked("explore_slice"),
    params:
        verb="explore-slice --slice {z}",
        settings=lambda wildcards: PIPELINE.explore_slice(int(wildcards.z)).settings,
    message:
        "Writing the page to explore slice {wildcards.z} in"


use rule stage as export with:
    input:
        unpack(lambda wildcards: read(PIPELINE.export(int(wildcards.z)))),
    output:
        **written(PIPELINE.export("{z}")),
    log:
        f"{LOGS}/export-z{{z}}.log",
    benchmark:
        f"{TIMES}/export-z{{z}}.tsv"
    resources:
        **asked("export"),
    params:
        verb="export --slice {z}",
        settings=PIPELINE.export("{z}").settings,
    message:
        "Writing the maps of slice {wildcards.z} for other programs"


rule exports:
    input:
        at_slices(PIPELINE.export("{z}").outputs["folder"], CONFIG.extraction.slices),
