"""Subdivisions of one area: depth, clusters, components, and how far they agree with layers."""

if CONFIG.discovery is not None:

    use rule stage as depth with:
        input:
            **read(PIPELINE.depth("{z}")),
        output:
            **written(PIPELINE.depth("{z}")),
        log:
            f"{LOGS}/depth-z{{z}}.log",
        benchmark:
            f"{TIMES}/depth-z{{z}}.tsv"
        resources:
            **asked("depth"),
        params:
            verb="depth --slice {z}",
            settings=PIPELINE.depth("{z}").settings,
        message:
            "Measuring depth in slice {wildcards.z}"

    use rule stage as cluster_area with:
        input:
            **read(PIPELINE.cluster_area("{z}", "{network}")),
        output:
            **written(PIPELINE.cluster_area("{z}", "{network}")),
        log:
            f"{LOGS}/cluster-area-z{{z}}-{{network}}.log",
        benchmark:
            f"{TIMES}/cluster-area-z{{z}}-{{network}}.tsv"
        resources:
            **asked("cluster_area"),
        params:
            verb="cluster-area --network {network} --slice {z}",
            settings=PIPELINE.cluster_area("{z}", "{network}").settings,
        message:
            "Clustering the representation inside one area of slice {wildcards.z} ({wildcards.network})"

    use rule stage as find_components with:
        input:
            **read(PIPELINE.find_components("{z}", "{network}")),
        output:
            **written(PIPELINE.find_components("{z}", "{network}")),
        log:
            f"{LOGS}/find-components-z{{z}}-{{network}}.log",
        benchmark:
            f"{TIMES}/find-components-z{{z}}-{{network}}.tsv"
        resources:
            **asked("find_components"),
        params:
            verb="find-components --network {network} --slice {z}",
            settings=PIPELINE.find_components("{z}", "{network}").settings,
        message:
            "Finding components inside one area of slice {wildcards.z} ({wildcards.network})"

    if PIPELINE.counts_components:

        use rule stage as sweep_components with:
            input:
                **read(PIPELINE.sweep_components()),
            output:
                **written(PIPELINE.sweep_components()),
            log:
                f"{LOGS}/sweep-components.log",
            benchmark:
                f"{TIMES}/sweep-components.tsv"
            resources:
                **asked("sweep_components"),
            params:
                verb="sweep-components",
                settings=PIPELINE.sweep_components().settings,
            message:
                "Comparing numbers of components"

    use rule stage as profile with:
        input:
            unpack(
                lambda wildcards: read(
                    PIPELINE.profile(wildcards.kind, int(wildcards.z), wildcards.network)
                )
            ),
        output:
            **written(PIPELINE.profile("{kind}", "{z}", "{network}")),
        log:
            f"{LOGS}/profile-{{kind}}-z{{z}}-{{network}}.log",
        benchmark:
            f"{TIMES}/profile-{{kind}}-z{{z}}-{{network}}.tsv"
        wildcard_constraints:
            kind="clusters|components",
        resources:
            **asked("profile"),
        params:
            verb="profile --network {network} --kind {kind} --slice {z}",
            settings=PIPELINE.profile("{kind}", "{z}", "{network}").settings,
        message:
            "Profiling the {wildcards.kind} of slice {wildcards.z} ({wildcards.network})"

    use rule stage as compare_layers with:
        input:
            unpack(
                lambda wildcards: read(
                    PIPELINE.compare_layers(wildcards.kind, int(wildcards.z), wildcards.network)
                )
            ),
        output:
            **written(PIPELINE.compare_layers("{kind}", "{z}", "{network}")),
        log:
            f"{LOGS}/compare-layers-{{kind}}-z{{z}}-{{network}}.log",
        benchmark:
            f"{TIMES}/compare-layers-{{kind}}-z{{z}}-{{network}}.tsv"
        wildcard_constraints:
            kind="clusters|components",
        resources:
            **asked("compare_layers"),
        params:
            verb="compare-layers --network {network} --kind {kind} --slice {z}",
            settings=PIPELINE.compare_layers("{kind}", "{z}", "{network}").settings,
        message:
            "Comparing the {wildcards.kind} of slice {wildcards.z} with layers, beside nulls ({wildcards.network})"

    if PIPELINE.compared_slices:

        use rule stage as match_components with:
            input:
                **read(PIPELINE.match_components("{network}")),
            output:
                **written(PIPELINE.match_components("{network}")),
            log:
                f"{LOGS}/match-components-{{network}}.log",
            benchmark:
                f"{TIMES}/match-components-{{network}}.tsv"
            resources:
                **asked("match_components"),
            params:
                verb="match-components --network {network}",
                settings=PIPELINE.match_components("{network}").settings,
            message:
                "Matching the components of two slices ({wildcards.network})"
