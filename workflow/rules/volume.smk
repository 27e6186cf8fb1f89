"""A look before the run; then TIFF stack and label images, made, fetched or given, in OME-Zarr."""


# Nothing is its input, and the config is derived from its output: it runs before the volume is made
# and again only when the section on the volume has changed, which makes a new volume anyway.
use rule stage as preflight with:
    output:
        report=PIPELINE.results.preflight,
    log:
        f"{LOGS}/preflight.log",
    benchmark:
        f"{TIMES}/preflight.tsv"
    localrule: True
    resources:
        **asked("preflight"),
    params:
        verb="doctor",
        settings=CONFIG.volume.model_dump(mode="json"),
        # a cluster gives every stage the memory that its rule asks for
        machine=lambda wildcards, output: [
            *("--output", output.report),
            *(["--no-memory"] if workflow.remote_exec or workflow.non_local_exec else []),
        ],
    message:
        "Checking input files, disk and memory"


if PIPELINE.is_phantom:

    use rule stage as phantom with:
        input:
            **read(PIPELINE.phantom()),
        output:
            **written(PIPELINE.phantom()),
        log:
            f"{LOGS}/phantom.log",
        benchmark:
            f"{TIMES}/phantom.tsv"
        threads: most_threads("phantom")
        resources:
            **asked("phantom"),
        params:
            verb="phantom",
            settings=PIPELINE.phantom().settings,
        message:
            "Writing the synthetic volume as a TIFF stack with labels"


# The slices are no declared outputs: Snakemake deletes those of a job that failed, and what came
# over the network must stay. The declared output is the table of what was received.
if PIPELINE.fetches("image"):

    use rule stage as download_stack with:
        input:
            **read(PIPELINE.download_stack()),
        output:
            **written(PIPELINE.download_stack()),
        log:
            f"{LOGS}/download-stack.log",
        benchmark:
            f"{TIMES}/download-stack.tsv"
        localrule: True
        resources:
            **asked("download_stack"),
        params:
            verb="download-stack",
            settings=PIPELINE.download_stack().settings,
        message:
            "Fetching the slices of the volume"


if PIPELINE.fetches("areas"):

    use rule stage as download_areas with:
        input:
            **read(PIPELINE.download_areas()),
        output:
            **written(PIPELINE.download_areas()),
        log:
            f"{LOGS}/download-areas.log",
        benchmark:
            f"{TIMES}/download-areas.tsv"
        localrule: True
        resources:
            **asked("download_areas"),
        params:
            verb="download-areas",
            settings=PIPELINE.download_areas().settings,
        message:
            "Fetching the label images of the annotated slices"


use rule stage as convert with:
    input:
        **read(PIPELINE.convert()),
    output:
        **written(PIPELINE.convert()),
    log:
        f"{LOGS}/convert.log",
    benchmark:
        f"{TIMES}/convert.tsv"
    threads: most_threads("convert")
    resources:
        **asked("convert"),
    params:
        verb="convert",
        machine=lambda wildcards, threads, resources: [
            *("--threads", threads),
            *("--memory-mb", resources.mem_mb - SNAKEMAKE_MB),
        ],
        settings=PIPELINE.convert().settings,
        files=lambda wildcards: PIPELINE.source_states.get("volume"),
    message:
        "Making the OME-Zarr volume"


use rule stage as import_areas with:
    input:
        **read(PIPELINE.import_areas()),
    output:
        **written(PIPELINE.import_areas()),
    log:
        f"{LOGS}/import-areas.log",
    benchmark:
        f"{TIMES}/import-areas.tsv"
    resources:
        **asked("import_areas"),
    params:
        verb="import-annotations --kind areas",
        machine=[],
        settings=PIPELINE.import_areas().settings,
        files=lambda wildcards: PIPELINE.source_states.get("areas"),
    message:
        "Importing the area annotations"


if CONFIG.layers is not None:

    use rule stage as import_layers with:
        input:
            **read(PIPELINE.import_layers()),
        output:
            **written(PIPELINE.import_layers()),
        log:
            f"{LOGS}/import-layers.log",
        benchmark:
            f"{TIMES}/import-layers.tsv"
        resources:
            **asked("import_layers"),
        params:
            verb="import-annotations --kind layers",
            machine=[],
            settings=PIPELINE.import_layers().settings,
            files=lambda wildcards: PIPELINE.source_states.get("layers"),
        message:
            "Importing the layer annotations"


use rule stage as volume_statistics with:
    input:
        **read(PIPELINE.volume_statistics()),
    output:
        **written(PIPELINE.volume_statistics()),
    log:
        f"{LOGS}/volume-statistics.log",
    benchmark:
        f"{TIMES}/volume-statistics.tsv"
    threads: most_threads("volume_statistics")
    resources:
        **asked("volume_statistics"),
    params:
        verb="volume-statistics",
    message:
        "Counting the grey values of the whole volume"


use rule stage as preview with:
    input:
        unpack(lambda wildcards: read(PIPELINE.preview(wildcards.kind, int(wildcards.z)))),
    output:
        **written(PIPELINE.preview("{kind}", "{z}")),
    log:
        f"{LOGS}/preview-{{kind}}-z{{z}}.log",
    benchmark:
        f"{TIMES}/preview-{{kind}}-z{{z}}.tsv"
    wildcard_constraints:
        kind="|".join(PIPELINE.previewed),
    resources:
        **asked("preview"),
    params:
        verb="preview --kind {kind} --slice {z}",
        settings=lambda wildcards: PIPELINE.preview(wildcards.kind, int(wildcards.z)).settings,
    message:
        "Drawing the {wildcards.kind} of slice {wildcards.z}"


rule previews:
    input:
        [
            at_slices(PIPELINE.preview(kind, "{z}").outputs["png"], slices)
            for kind, slices in PIPELINE.previewed.items()
        ],
