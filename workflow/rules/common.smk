"""The typed config, and the few helpers that rules share."""

from snakemake.exceptions import WorkflowError

from brainarch.config.read import check_config
from brainarch.errors import InputError
from brainarch.volume.kinds import in_zarr, is_slice_pattern

try:
    CONFIG = check_config(
        config,
        ", ".join(map(str, workflow.overwrite_configfiles)) or "config/config.yaml",
    )
except InputError as error:
    raise WorkflowError(f"config error: {error}") from None

#: Folder of this dataset's results, logs and run times.
RESULTS = f"results/{CONFIG.dataset}"
LOGS = f"{RESULTS}/logs"
TIMES = f"{RESULTS}/benchmarks"
#: Unfinished work, kept when a job is killed; never a declared output.
PARTIAL = f"{RESULTS}/.partial"

PHANTOM = CONFIG.source == "phantom"
BY_BLOCKS = CONFIG.splits.by == "blocks"
#: The slice that is analysed and fitted, and the others that test what was found.
FIT_SLICE = CONFIG.extraction.slices[0]
HELD_OUT_SLICES = CONFIG.extraction.slices[1:]
#: Networks that are trained: one a split assignment, and the control with permuted labels.
ASSIGNMENTS = (
    ["main"] + [f"blocks{i}" for i in range(1, CONFIG.splits.assignments)]
    if BY_BLOCKS
    else ["main"]
)
RUNS = ASSIGNMENTS + (["permuted"] if CONFIG.training.permuted_control else [])
TEST_SLICES = [CONFIG.splits.slice] if BY_BLOCKS else CONFIG.splits.test
TRAIN_SLICES = [CONFIG.splits.slice] if BY_BLOCKS else CONFIG.splits.train
#: Areas too thin for whole patches; accuracies are also given without them.
THIN_AREAS = [area.name for area in CONFIG.areas if area.share < 1]
#: Extracted slices that have labels, and those that have layers.
LABELLED_SLICES = [z for z in CONFIG.extraction.slices if z in CONFIG.annotations.slices]
LAYER_SLICES = [
    z for z in CONFIG.extraction.slices if CONFIG.layers is not None and z in CONFIG.layers.slices
]


def number(wildcards):
    """Return the slice of a file name's wildcard as a plain number."""
    return int(wildcards.z)


def named(z):
    """Return a slice as file names write it."""
    return f"{z:04d}"


def at_slices(pattern, slices):
    """Return the files of a pattern with the wildcard z, one a slice."""
    return expand(pattern, z=[named(z) for z in slices])


def repeated(option, values):
    """Return a list that repeats an option before each value, for `:q` in a shell line."""
    return [part for value in values for part in (option, str(value))]


def if_present(path):
    """Return a file of the user's as input when it is there; the stage itself names what is missing."""
    return [path] if PHANTOM or Path(path).exists() else []


def fetched(kind):
    """Return whether the image or the areas come from BossDB."""
    return CONFIG.download is not None and getattr(CONFIG.download, kind) is not None


def download_options(kind):
    """Return where the image or the areas are fetched from as options."""
    source = CONFIG.download
    return ["--host", source.host, "--channel", getattr(source, kind)]


def stack_files():
    """Return the stack as input: the table of the fetched slices, or the user's own."""
    if fetched("image"):
        return rules.download_stack.output.table
    if is_slice_pattern(STACK):
        first, count = CONFIG.volume.first_slice, CONFIG.volume.shape[0]
        files = [STACK.format(z=z) for z in range(first, first + count)]
        return [path for path in files if Path(path).exists()]
    return if_present(STACK)


def area_files():
    """Return the area labels as input: the table of the fetched ones, or the user's own."""
    if fetched("areas"):
        return rules.download_areas.output.table
    return label_files(AREA_LABELS, CONFIG.annotations.slices)


def label_file(pattern, z):
    """Return the label image of a slice."""
    return pattern.format(z=named(z)) if PHANTOM else pattern.format(z=z)


def label_files(pattern, slices):
    """Return the label images that are there, as input."""
    found = [path for z in slices for path in if_present(label_file(pattern, z))]
    return list(dict.fromkeys(found))  # a label volume is one file for all slices


def label_options(pattern, slices):
    """Return the label images as options."""
    return repeated("--slice", [f"{z}={label_file(pattern, z)}" for z in slices])


def layout_options(labels):
    """Return how label files hold their slices as options."""
    options = ["--transpose"] if labels.transpose else []
    first = CONFIG.labels_start(labels)
    return options if first is None else [*options, "--labels-first-slice", str(first)]


def window_option():
    """Return the intensity window as an option, if the config has one."""
    window = CONFIG.volume.window
    return [f"--window={window[0]!r},{window[1]!r}"] if window else []


def resample_option():
    """Return the pixel size that slices are resampled to as an option, if the config has one."""
    return (
        [] if CONFIG.volume.resampling is None else ["--resample-um", repr(CONFIG.volume.pixel_um)]
    )


def legend_options(entries, shares):
    """Return codes, titles, colours and shares of the areas or layers as options."""
    codes = [f"{entry.name}={','.join(map(str, entry.codes))}" for entry in entries]
    options = repeated("--area", codes)
    options += repeated("--title", [f"{entry.name}={entry.title}" for entry in entries])
    if shares:
        options += repeated("--colour", [f"{a.name}={a.colour}" for a in entries if a.colour])
        options += repeated("--share", [f"{a.name}={a.share}" for a in entries if a.share < 1])
    return options


def patches_of(kind):
    """Return where a run's patches are; the permuted control shares those of the main run."""

    def find(wildcards):
        run = "main" if wildcards.run == "permuted" else wildcards.run
        return expand(getattr(PATCHES, kind), run=run)

    return find


def epochs_of(wildcards):
    """Return how long a run trains."""
    permuted = CONFIG.training.permuted_epochs if wildcards.run == "permuted" else None
    return permuted or CONFIG.training.epochs


def rows_option():
    """Return the band of rows that is extracted as an option, if the config names one."""
    rows = CONFIG.extraction.rows
    return ["--rows", f"{rows[0]}:{rows[1]}"] if rows else []


def by_network(option, kind):
    """Return the option NETWORK=PATH of every network, for one kind of input."""

    def options(wildcards, input):
        pairs = zip(CONFIG.readout.networks, input[kind], strict=True)
        return repeated(option, [f"{network}={path}" for network, path in pairs])

    return options


def coefficients_at(slices):
    """Return the coefficient maps of some slices."""
    return at_slices(f"{RESULTS}/factors/z{{z}}_coefficients.zarr", slices)


def outlined(wildcards):
    """Return the labels and the legend of areas or layers, for a preview."""
    imported = rules.import_layers if wildcards.kind == "layers" else rules.import_areas
    return {"labels": imported.output.labels, "legend": imported.output.legend}


def layer_options(wildcards, input):
    """Return the layers as options when the slice has them."""
    if not input.layers:
        return []
    return ["--layers", input.layers[0], "--layers-legend", input.layers[1]]


def layers_at(wildcards):
    """Return the layer labels and their legend when the slice has them."""
    if number(wildcards) not in LAYER_SLICES:
        return []
    return [
        rules.import_layers.output.labels,
        rules.import_layers.output.legend,
    ]


def figure_prefix(wildcards, output):
    """Return a figure's path without its ending."""
    return str(Path(output.png).with_suffix(""))


def optional(option, kind):
    """Return an option with its files when there are any."""

    def options(wildcards, input):
        return repeated(option, input.get(kind, []))

    return options


def pairs(option, kind, names):
    """Return the option NAME=PATH of every file of one kind of input."""

    def options(wildcards, input):
        return repeated(option, [f"{n}={p}" for n, p in zip(names, input[kind], strict=True)])

    return options


def summary_files():
    """Return what the summary reads, by kind, as far as this dataset has it."""
    files = {
        "legend": rules.import_areas.output.legend,
        "areas": rules.import_areas.output.table,
        "plan": rules.plan.output.plan,
        "classifiers": rules.classify.output.classifiers,
        "mixture": rules.cluster_score.output.score,
        "gram_error": rules.gram.output.error,
        "fit": rules.factorize.output.fit,
    }
    if PHANTOM:
        files["phantom"] = rules.phantom.output.description
    for run in ASSIGNMENTS:
        for kind in ("counts", "independent"):
            files[f"{kind}/{run}"] = expand(getattr(PATCHES, kind), run=run)[0]
    for run in RUNS:
        files[f"training/{run}"] = expand(rules.train.output.summary, run=run)[0]
        for kind in ("metrics", "confusion"):
            pattern = getattr(rules.evaluate.output, kind)
            for split in ("val", "test") if run == "main" else ("test",):
                files[f"{kind}/{run}/{split}"] = expand(pattern, run=run, split=split)[0]
    for z in CONFIG.extraction.slices:
        files[f"proof/{z}"] = expand(rules.prove.output.proof, z=named(z))[0]
    for z in LABELLED_SLICES:
        for kind in ("metrics", "confusion"):
            pattern = getattr(rules.predict.output, kind)
            files[f"prediction_{kind}/{z}"] = expand(pattern, z=named(z))[0]
    for z in HELD_OUT_SLICES:
        files[f"projection/{z}"] = expand(rules.project.output.fit, z=named(z))[0]
    if FIT_LABELLED:
        files["selection_areas"] = rules.select_areas.output.selected
    if FIT_LAYERS:
        files["selection_layers"] = rules.select_layers.output.selected
    if TWO_SLICES:
        files["alignment_chosen"] = rules.align.output.chosen
    if CONFIG.discovery is not None and TWO_SLICES:
        files["matches"] = rules.match_components.output.matches
    if CONFIG.discovery is not None:
        for z in LAYER_SLICES:
            for kind in ("clusters", "components"):
                pattern = rules.compare_layers.output.agreement
                files[f"agreement/{kind}/{z}"] = expand(pattern, kind=kind, z=named(z))[0]
    for figure in [*VARIABILITY, *MICROARCHITECTURE, rules.volume_figure]:
        files[f"figure/{Path(figure.output.png).stem}"] = str(figure.output.png)
    return {kind: str(path) for kind, path in files.items()}
