"""Grey values of the whole volume, counted in one pass, and their figure."""


rule volume_statistics:
    input:
        volume=rules.convert.output.volume,
    output:
        summary=f"{RESULTS}/volume/statistics.csv",
        histogram=f"{RESULTS}/volume/histogram.csv",
        slices=f"{RESULTS}/volume/slice_statistics.csv",
    log:
        f"{LOGS}/volume-statistics.log",
    benchmark:
        f"{TIMES}/volume-statistics.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 4
    resources:
        mem_mb=1500,
        runtime=60,
    message:
        "Counting the grey values of the whole volume"
    shell:
        "brainarch volume-statistics --volume {input.volume:q} --threads {threads}"
        " --output-summary {output.summary:q} --output-histogram {output.histogram:q}"
        " --output-slices {output.slices:q} 2>&1 | tee {log:q}"


rule volume_figure:
    input:
        summary=rules.volume_statistics.output.summary,
        histogram=rules.volume_statistics.output.histogram,
        slices=rules.volume_statistics.output.slices,
    output:
        png=report(
            f"{RESULTS}/figures/grey_values.png",
            category="Volume",
            caption="../report/grey_values.rst",
            labels={"figure": "Grey values"},
        ),
        pdf=f"{RESULTS}/figures/grey_values.pdf",
        table=f"{RESULTS}/figures/grey_values.csv",
    log:
        f"{LOGS}/volume-figure.log",
    benchmark:
        f"{TIMES}/volume-figure.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        prefix=figure_prefix,
    message:
        "Drawing the grey values of the volume"
    shell:
        "brainarch plot-volume --summary {input.summary:q} --histogram {input.histogram:q}"
        " --slices {input.slices:q} --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"
