"""TIFF stack and label images become OME-Zarr; what they hold is checked here."""

if not PHANTOM:
    STACK = CONFIG.volume.path
    AREA_LABELS = CONFIG.annotations.path
    LAYER_LABELS = CONFIG.layers.path if CONFIG.layers is not None else None


if in_zarr(STACK):

    # An OME-Zarr image is used where it lies; what stands in the volume's place leads to it.
    rule convert:
        input:
            stack=lambda wildcards: stack_files(),
            preflight=rules.preflight.output.report,
        output:
            volume=directory(f"{RESULTS}/volume/volume.ome.zarr"),
        log:
            f"{LOGS}/convert.log",
        benchmark:
            f"{TIMES}/convert.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            stack=lambda wildcards: STACK,
            shape=",".join(map(str, CONFIG.volume.shape)),
            dtype=CONFIG.volume.dtype,
            voxel_um=CONFIG.volume.voxel_um,
            first_slice=CONFIG.volume.first_slice,
        message:
            "Linking the OME-Zarr volume"
        shell:
            "brainarch link-volume --input {params.stack:q} --shape {params.shape}"
            " --dtype {params.dtype} --voxel-um {params.voxel_um}"
            " --first-slice {params.first_slice} --output {output.volume:q} 2>&1 | tee {log:q}"

else:

    rule convert:
        input:
            stack=lambda wildcards: stack_files(),
            preflight=rules.preflight.output.report,
        output:
            volume=directory(f"{RESULTS}/volume/volume.ome.zarr"),
            slices=f"{RESULTS}/volume/slices.csv",
        log:
            f"{LOGS}/convert.log",
        benchmark:
            f"{TIMES}/convert.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 8
        resources:
            mem_mb=2000,
            runtime=120,
        params:
            stack=lambda wildcards: STACK,
            shape=",".join(map(str, CONFIG.volume.shape)),
            dtype=CONFIG.volume.dtype,
            window=window_option(),
            voxel_um=CONFIG.volume.voxel_um,
            first_slice=CONFIG.volume.first_slice,
            resample=resample_option(),
            compression=CONFIG.volume.compression,
            partial=f"{PARTIAL}/convert",
        message:
            "Converting the TIFF stack to OME-Zarr"
        shell:
            "brainarch convert --input {params.stack:q} --shape {params.shape}"
            " --dtype {params.dtype} {params.window:q} --voxel-um {params.voxel_um}"
            " --first-slice {params.first_slice} --compression {params.compression}"
            " {params.resample} --output {output.volume:q} --output-slices {output.slices:q}"
            " --partial {params.partial:q}"
            " --memory-mb {resources.mem_mb} --threads {threads} 2>&1 | tee {log:q}"


rule import_areas:
    input:
        labels=lambda wildcards: area_files(),
        volume=rules.convert.output.volume,
    output:
        labels=directory(f"{RESULTS}/annotations/areas.ome.zarr"),
        legend=f"{RESULTS}/annotations/legend.csv",
        table=f"{RESULTS}/annotations/areas.csv",
    log:
        f"{LOGS}/import-areas.log",
    benchmark:
        f"{TIMES}/import-areas.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        slices=lambda wildcards: label_options(AREA_LABELS, CONFIG.annotations.slices),
        legend=lambda wildcards: legend_options(CONFIG.areas, shares=True),
        layout=layout_options(CONFIG.annotations),
        ignore=",".join(map(str, CONFIG.annotations.ignore)),
    message:
        "Importing the area annotations"
    shell:
        "brainarch import-annotations --volume {input.volume:q} {params.slices:q} {params.legend:q}"
        " {params.layout:q} --ignore {params.ignore} --output-labels {output.labels:q}"
        " --output-legend {output.legend:q} --output-table {output.table:q} 2>&1 | tee {log:q}"


if CONFIG.layers is not None:

    rule import_layers:
        input:
            labels=lambda wildcards: label_files(LAYER_LABELS, CONFIG.layers.slices),
            volume=rules.convert.output.volume,
        output:
            labels=directory(f"{RESULTS}/annotations/layers.ome.zarr"),
            legend=f"{RESULTS}/annotations/layers_legend.csv",
            table=f"{RESULTS}/annotations/layers.csv",
        log:
            f"{LOGS}/import-layers.log",
        benchmark:
            f"{TIMES}/import-layers.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            slices=lambda wildcards: label_options(LAYER_LABELS, CONFIG.layers.slices),
            legend=lambda wildcards: legend_options(CONFIG.layers.names, shares=False),
            layout=layout_options(CONFIG.layers),
            ignore=",".join(map(str, CONFIG.layers.ignore)),
        message:
            "Importing the layer annotations"
        shell:
            "brainarch import-annotations --volume {input.volume:q} {params.slices:q} {params.legend:q}"
            " {params.layout:q} --ignore {params.ignore} --output-labels {output.labels:q}"
            " --output-legend {output.legend:q} --output-table {output.table:q} 2>&1 | tee {log:q}"
