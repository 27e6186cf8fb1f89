"""Representations of the sampled patches by each network that is compared."""


rule embed:
    input:
        network=expand(rules.train.output.network, run="main"),
        volume=rules.convert.output.volume,
        legend=rules.import_areas.output.legend,
        patches=lambda wildcards: expand(getattr(PATCHES, wildcards.split), run="main"),
    output:
        representations=directory(f"{RESULTS}/embedding/{{network}}/{{split}}.zarr"),
    log:
        f"{LOGS}/embed-{{network}}-{{split}}.log",
    benchmark:
        f"{TIMES}/embed-{{network}}-{{split}}.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        seed=CONFIG.seed,
    message:
        "Representing the {wildcards.split} patches by {wildcards.network}"
    shell:
        "brainarch embed --network {wildcards.network} --checkpoint {input.network:q}"
        " --volume {input.volume:q} --legend {input.legend:q} --patches {input.patches:q}"
        " --seed {params.seed} --threads {threads} --output {output.representations:q} 2>&1 | tee {log:q}"


rule embed_noise:
    input:
        network=expand(rules.train.output.network, run="main"),
        volume=rules.convert.output.volume,
        legend=rules.import_areas.output.legend,
        patches=expand(PATCHES.test, run="main"),
    output:
        representations=directory(f"{RESULTS}/embedding/{{network}}_noise.zarr"),
    log:
        f"{LOGS}/embed-noise-{{network}}.log",
    benchmark:
        f"{TIMES}/embed-noise-{{network}}.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        variances=",".join(map(str, CONFIG.readout.noise_variances)),
        patches=CONFIG.readout.noise_patches,
        seed=CONFIG.seed,
    message:
        "Representing noisy test patches by {wildcards.network}"
    shell:
        "brainarch embed --network {wildcards.network} --checkpoint {input.network:q}"
        " --volume {input.volume:q} --legend {input.legend:q} --patches {input.patches:q}"
        " --variances {params.variances} --max-patches-per-area {params.patches}"
        " --seed {params.seed} --threads {threads} --output {output.representations:q} 2>&1 | tee {log:q}"
