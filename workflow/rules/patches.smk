"""Which patches train, choose and test the network: places, not pixels."""

if BY_BLOCKS:

    rule sample_blocks:
        input:
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
        output:
            splits=directory(f"{RESULTS}/patches/{{run}}/splits.ome.zarr"),
            train=f"{RESULTS}/patches/{{run}}/train.csv",
            val=f"{RESULTS}/patches/{{run}}/val.csv",
            test=f"{RESULTS}/patches/{{run}}/test.csv",
            counts=f"{RESULTS}/patches/{{run}}/counts.csv",
            independent=f"{RESULTS}/patches/{{run}}/independent.csv",
        log:
            f"{LOGS}/sample-blocks-{{run}}.log",
        benchmark:
            f"{TIMES}/sample-blocks-{{run}}.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            slice=CONFIG.splits.slice,
            assignment=lambda wildcards: ASSIGNMENTS.index(wildcards.run),
            independent=CONFIG.splits.min_independent,
            folder=lambda wildcards, output: str(Path(output.train).parent),
            train_patches=CONFIG.sampling.train_patches,
            eval_patches=CONFIG.sampling.eval_patches,
            shares=repeated(
                "--area-share",
                [f"{a.name}={a.share}" for a in CONFIG.areas if a.share < 1],
            ),
            gap=CONFIG.sampling.min_gap_um,
            block=CONFIG.sampling.block_px,
            seed=CONFIG.seed,
        message:
            "Sampling patches from parts of one slice ({wildcards.run})"
        shell:
            "brainarch sample-blocks --labels {input.labels:q} --legend {input.legend:q}"
            " --slice {params.slice} --assignment {params.assignment} --min-independent {params.independent}"
            " --train-patches {params.train_patches} --eval-patches {params.eval_patches}"
            " {params.shares:q} --min-gap-um {params.gap} --block-px {params.block}"
            " --seed {params.seed} --output {params.folder:q} 2>&1 | tee {log:q}"

    PATCHES = rules.sample_blocks.output

else:

    rule sample:
        input:
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
        output:
            splits=directory(f"{RESULTS}/patches/main/splits.ome.zarr"),
            train=f"{RESULTS}/patches/main/train.csv",
            val=f"{RESULTS}/patches/main/val.csv",
            test=f"{RESULTS}/patches/main/test.csv",
            counts=f"{RESULTS}/patches/main/counts.csv",
            independent=f"{RESULTS}/patches/main/independent.csv",
        log:
            f"{LOGS}/sample.log",
        benchmark:
            f"{TIMES}/sample.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            train=",".join(map(str, CONFIG.splits.train)),
            val=",".join(map(str, CONFIG.splits.val)),
            test=",".join(map(str, CONFIG.splits.test)),
            folder=lambda wildcards, output: str(Path(output.train).parent),
            train_patches=CONFIG.sampling.train_patches,
            eval_patches=CONFIG.sampling.eval_patches,
            shares=repeated(
                "--area-share",
                [f"{a.name}={a.share}" for a in CONFIG.areas if a.share < 1],
            ),
            gap=CONFIG.sampling.min_gap_um,
            block=CONFIG.sampling.block_px,
            seed=CONFIG.seed,
        message:
            "Sampling patches from slices"
        shell:
            "brainarch sample --labels {input.labels:q} --legend {input.legend:q}"
            " --train {params.train} --val {params.val} --test {params.test}"
            " --train-patches {params.train_patches} --eval-patches {params.eval_patches}"
            " {params.shares:q} --min-gap-um {params.gap} --block-px {params.block}"
            " --seed {params.seed} --output {params.folder:q} 2>&1 | tee {log:q}"

    PATCHES = rules.sample.output
