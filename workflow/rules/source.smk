"""The phantom: a synthetic volume written as the TIFF stack and label images a user would have."""

if PHANTOM:

    rule phantom:
        input:
            preflight=rules.preflight.output.report,
        output:
            stack=directory(f"{RESULTS}/source/stack"),
            areas=at_slices(f"{RESULTS}/source/areas/z{{z}}.tif", CONFIG.annotations.slices),
            layers=at_slices(f"{RESULTS}/source/layers/z{{z}}.tif", CONFIG.annotations.slices),
            truth=directory(f"{RESULTS}/source/truth"),
            description=f"{RESULTS}/source/phantom.json",
        log:
            f"{LOGS}/phantom.log",
        benchmark:
            f"{TIMES}/phantom.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 8
        resources:
            mem_mb=3000,
            runtime=60,
        params:
            folder=lambda wildcards, output: str(Path(output.description).parent),
            shape=",".join(map(str, CONFIG.volume.shape)),
            annotated=",".join(map(str, CONFIG.annotations.slices)),
            voxel_um=CONFIG.volume.voxel_um,
            seed=CONFIG.seed,
        message:
            "Writing the synthetic volume as a TIFF stack with labels"
        shell:
            "brainarch phantom --output {params.folder:q} --shape {params.shape}"
            " --annotated {params.annotated} --voxel-um {params.voxel_um} --seed {params.seed}"
            " --threads {threads} 2>&1 | tee {log:q}"

    STACK = rules.phantom.output.stack
    AREA_LABELS = f"{RESULTS}/source/areas/z{{z}}.tif"
    LAYER_LABELS = f"{RESULTS}/source/layers/z{{z}}.tif"
