"""Pictures of the annotated slices with the outlines of their labels: `snakemake previews`."""

#: Annotated slices by what is outlined on them.
PREVIEWED = {"areas": CONFIG.annotations.slices}
if CONFIG.layers is not None:
    PREVIEWED["layers"] = CONFIG.layers.slices


rule preview:
    input:
        unpack(outlined),
        volume=rules.convert.output.volume,
    output:
        png=f"{RESULTS}/annotations/previews/{{kind}}_z{{z}}.png",
        pdf=f"{RESULTS}/annotations/previews/{{kind}}_z{{z}}.pdf",
        table=f"{RESULTS}/annotations/previews/{{kind}}_z{{z}}.csv",
    log:
        f"{LOGS}/preview_{{kind}}_z{{z}}.log",
    benchmark:
        f"{TIMES}/preview_{{kind}}_z{{z}}.tsv"
    wildcard_constraints:
        kind="|".join(PREVIEWED),
        z=r"\d+",
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        prefix=figure_prefix,
        slice=number,
    message:
        "Drawing the {wildcards.kind} of slice {wildcards.z}"
    shell:
        "brainarch plot-preview --volume {input.volume:q} --labels {input.labels:q}"
        " --legend {input.legend:q} --slice {params.slice}"
        " --output-prefix {params.prefix:q} 2>&1 | tee {log:q}"


rule previews:
    input:
        [
            path
            for kind, slices in PREVIEWED.items()
            for path in expand(rules.preview.output.png, kind=kind, z=[named(z) for z in slices])
        ],
