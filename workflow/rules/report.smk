"""One page that says whether it worked, with every number's interval, source and cost."""

import json

SUMMARY_FILES = summary_files()


rule report:
    input:
        list(SUMMARY_FILES.values()),
    output:
        page=report(
            f"{RESULTS}/report/summary.html",
            category="Summary",
            caption="../report/summary.rst",
            labels={"page": "Summary"},
        ),
        numbers=f"{RESULTS}/report/summary.json",
        manifest=f"{RESULTS}/report/manifest.json",
    log:
        f"{LOGS}/report.log",
    benchmark:
        f"{TIMES}/report.tsv"
    conda:
        "../../envs/brainarch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        manifest=lambda wildcards: json.dumps(
            {"config": CONFIG.model_dump(mode="json"), "files": SUMMARY_FILES},
            ensure_ascii=False,
        ),
        benchmarks=TIMES,
    message:
        "Writing the summary page"
    shell:
        "printf '%s' {params.manifest:q} > {output.manifest:q};"
        " brainarch summary --manifest {output.manifest:q} --benchmarks {params.benchmarks:q}"
        " --output-html {output.page:q} --output-json {output.numbers:q} 2>&1 | tee {log:q}"
