"""Subdivisions of one area: depth, clusters, components, and how far they agree with layers."""

if CONFIG.discovery is not None:

    rule depth:
        input:
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
        output:
            depth=directory(f"{RESULTS}/discovery/z{{z}}_depth.zarr"),
        log:
            f"{LOGS}/depth-z{{z}}.log",
        benchmark:
            f"{TIMES}/depth-z{{z}}.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            slice=number,
            area=CONFIG.discovery.area,
            upper=CONFIG.discovery.upper,
            lower=CONFIG.discovery.lower,
        message:
            "Measuring depth in slice {wildcards.z}"
        shell:
            "brainarch depth --labels {input.labels:q} --legend {input.legend:q}"
            " --slice {params.slice} --area {params.area} --upper {params.upper}"
            " --lower {params.lower} --output {output.depth:q} 2>&1 | tee {log:q}"

    rule cluster_area:
        input:
            cube=rules.extract.output.cube,
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
        output:
            map=directory(f"{RESULTS}/discovery/z{{z}}_clusters.zarr"),
            fit=f"{RESULTS}/discovery/z{{z}}_clusters.json",
        log:
            f"{LOGS}/cluster-area-z{{z}}.log",
        benchmark:
            f"{TIMES}/cluster-area-z{{z}}.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            area=CONFIG.discovery.area,
            clusters=CONFIG.discovery.clusters,
            seed=CONFIG.seed,
        message:
            "Clustering the representation inside one area of slice {wildcards.z}"
        shell:
            "brainarch cluster-area --cube {input.cube:q} --labels {input.labels:q}"
            " --legend {input.legend:q} --area {params.area} --clusters {params.clusters}"
            " --seed {params.seed} --threads {threads} --output-map {output.map:q}"
            " --output-fit {output.fit:q} 2>&1 | tee {log:q}"

    rule find_components:
        input:
            coefficients=f"{RESULTS}/factors/z{{z}}_coefficients.zarr",
            labels=rules.import_areas.output.labels,
            legend=rules.import_areas.output.legend,
        output:
            map=directory(f"{RESULTS}/discovery/z{{z}}_components.zarr"),
            components=f"{RESULTS}/discovery/z{{z}}_components.csv",
            fit=f"{RESULTS}/discovery/z{{z}}_components.json",
        log:
            f"{LOGS}/find-components-z{{z}}.log",
        benchmark:
            f"{TIMES}/find-components-z{{z}}.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            area=CONFIG.discovery.area,
            components=CONFIG.discovery.components,
            inside=CONFIG.discovery.inside_px,
            seed=CONFIG.seed,
        message:
            "Finding components inside one area of slice {wildcards.z}"
        shell:
            "brainarch find-components --coefficients {input.coefficients:q} --labels {input.labels:q}"
            " --legend {input.legend:q} --area {params.area} --components {params.components}"
            " --inside-px {params.inside} --seed {params.seed} --threads {threads}"
            " --output-map {output.map:q} --output-components {output.components:q}"
            " --output-fit {output.fit:q} 2>&1 | tee {log:q}"

    rule profile_components:
        input:
            map=f"{RESULTS}/discovery/z{{z}}_{{kind}}.zarr",
            depth=rules.depth.output.depth,
            layers=layers_at,
        output:
            profiles=f"{RESULTS}/discovery/z{{z}}_{{kind}}_profiles.csv",
        log:
            f"{LOGS}/profile-components-{{kind}}-z{{z}}.log",
        benchmark:
            f"{TIMES}/profile-components-{{kind}}-z{{z}}.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            layers=layer_options,
        message:
            "Profiling the {wildcards.kind} of slice {wildcards.z}"
        shell:
            "brainarch profile-components --map {input.map:q} --depth {input.depth:q}"
            " {params.layers:q} --output {output.profiles:q} 2>&1 | tee {log:q}"

    rule compare_layers:
        input:
            map=f"{RESULTS}/discovery/z{{z}}_{{kind}}.zarr",
            depth=rules.depth.output.depth,
            layers=layers_at,
        output:
            agreement=f"{RESULTS}/discovery/z{{z}}_{{kind}}_agreement.csv",
        log:
            f"{LOGS}/compare-layers-{{kind}}-z{{z}}.log",
        benchmark:
            f"{TIMES}/compare-layers-{{kind}}-z{{z}}.tsv"
        conda:
            "../../envs/brainarch.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            layers=layer_options,
            nulls=CONFIG.discovery.nulls,
            seed=CONFIG.seed,
        message:
            "Comparing the {wildcards.kind} of slice {wildcards.z} with layers and spatial nulls"
        shell:
            "brainarch compare-layers --map {input.map:q} --depth {input.depth:q}"
            " {params.layers:q} --nulls {params.nulls} --seed {params.seed}"
            " --output {output.agreement:q} 2>&1 | tee {log:q}"

    if len(LABELLED_SLICES) > 1:

        rule match_components:
            input:
                reference=f"{RESULTS}/discovery/z{named(LABELLED_SLICES[0])}_components_profiles.csv",
                other=f"{RESULTS}/discovery/z{named(LABELLED_SLICES[1])}_components_profiles.csv",
            output:
                matches=f"{RESULTS}/discovery/matches.csv",
                distances=f"{RESULTS}/discovery/match_distances.csv",
            log:
                f"{LOGS}/match-components.log",
            benchmark:
                f"{TIMES}/match-components.tsv"
            conda:
                "../../envs/brainarch.yaml"
            threads: 1
            resources:
                mem_mb=2000,
                runtime=30,
            message:
                "Matching the components of two slices"
            shell:
                "brainarch match-components --reference {input.reference:q} --other {input.other:q}"
                " --output {output.matches:q} --output-distances {output.distances:q} 2>&1 | tee {log:q}"
