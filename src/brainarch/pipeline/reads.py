"""What figures and the page read: files that other stages made, and what is shown of them."""

from __future__ import annotations

from collections.abc import Sequence

from brainarch.embedding.names import AUTHORS, CNN
from brainarch.pipeline.facts import CLUSTERS, COMPONENTS, MAIN, NONSENSE
from brainarch.pipeline.results import FIT, Z, slice_name
from brainarch.pipeline.shared import Shared
from brainarch.pipeline.stage import Files, Settings


class Reads(Shared):
    """Inputs and settings of each figure, called as the figure's subject, and of the page."""

    def _overview(self) -> tuple[Files, Settings]:
        r, z = self.results, self.split_slices("test")[0]
        inputs: Files = {
            "volume": r.volume,
            "labels": r.areas,
            "network": r.network(MAIN),
            "representations": r.representations("cnn", "test"),
        }
        if z in self.labelled_slices:
            inputs["prediction"] = r.prediction(z, "areas.zarr")
        return inputs, {"z": z, "areas": self._area_titles, **self._seed}

    def _splits_of(self, z: int) -> Files:
        """Return which pixels belong to which split, if that slice holds them all."""
        splits = self.config.splits
        here = splits.by == "blocks" and splits.slice == z
        return {"splits": self.results.splits(MAIN)} if here else {}

    def _annotations(self) -> tuple[Files, Settings]:
        r, z = self.results, self.split_slices("train")[0]
        return {
            "volume": r.volume,
            "labels": r.areas,
            "sizes": r.annotations("areas.csv"),
            "patches": r.patches(MAIN, "train"),
            **self._splits_of(z),
        }, {"z": z, "areas": self._area_titles, **self._seed}

    def _scale(self) -> tuple[Files, Settings]:
        r, z = self.results, self.fit_slice
        tables = ("confusion", "metrics")
        return {
            "labels": r.areas,
            "prediction": r.prediction(z, "areas.zarr"),
            **{kind: r.prediction(z, f"{kind}.csv") for kind in (*tables, "border")},
            **{f"sampled_{kind}": r.evaluation(MAIN, "test", kind) for kind in tables},
            **self._splits_of(z),
        }, {"areas": self._area_titles}

    def _classifiers(self) -> tuple[Files, Settings]:
        r = self.results
        return {
            "classifiers": r.readout("classifiers.csv"),
            "differences": r.readout("differences.csv"),
            "noise_curve": r.readout("noise.csv"),
            "scores": r.readout("cluster_scores.csv"),
        }, {**self._chance, **self._tested}

    def _gram(self) -> tuple[Files, Settings]:
        r = self.results
        return {
            "errors": r.readout("gram_error.csv"),
            "blocks": r.readout("gram_blocks.csv"),
            "matrices": self._gram_matrices,
            "components": r.readout("pca.csv"),
            "variance": r.readout("pca_variance.csv"),
        }, {"areas": self._area_titles, **self._tested}

    def _relations(self) -> tuple[Files, Settings]:
        kinds = ("relations", "hierarchy", "variability")
        tables: Files = {kind: self.results.readout(f"{kind}.csv") for kind in kinds}
        return tables, {"areas": self._area_titles, **self._tested}

    def _outliers(self) -> tuple[Files, Settings]:
        table = self.results.readout("outliers.csv")
        return {"volume": self.results.volume, "outliers": table}, {"areas": self._area_titles}

    @property
    def _tested(self) -> Settings:
        """Return the slices of the test patches, for titles."""
        return {"slices": self.split_slices("test")}

    def _clusters(self) -> tuple[Files, Settings]:
        r, z = self.results, self.fit_slice
        inputs: Files = {
            "volume": r.volume,
            "map": r.discovery(z, "clusters.zarr"),
            "profiles": r.discovery(z, "clusters_profiles.csv"),
            "depth": r.depth(z),
            **self._splits_of(z),
        }
        settings: Settings = {"areas": self._area_titles}
        if "layers" not in self.lacks:
            inputs |= {"layers": r.layers, "agreement": r.discovery(z, "clusters_agreement.csv")}
            settings["layer_names"] = self._layer_titles
        return inputs, settings

    def _factorization(self) -> tuple[Files, Settings]:
        r = self.results
        inputs: Files = {
            "cube": r.cube(self.fit_slice),
            "basis": r.factors("basis.csv"),
            "coefficients": r.coefficients(self.fit_slice),
            "fit": r.factors(FIT) if self.fit_slices else r.fit(self.fit_slice),
        }
        if "labels" not in self.lacks:
            inputs["selection"] = r.factors("selection_areas.csv")
        if self.compared_slices:
            inputs["chosen"] = r.factors("alignment_chosen.csv")
        return inputs, {"areas": self._area_titles}

    def _factors(self) -> tuple[Files, Settings]:
        r = self.results
        inputs: Files = {
            "volume": r.volume,
            "labels": r.areas,
            "coefficients": r.coefficients(self.fit_slice),
            "selection": r.factors("selection_areas.csv"),
        }
        settings: Settings = {"areas": self._area_titles}
        if self.compared_slices:
            inputs["alignment"] = r.factors("alignment.csv")
            inputs["chosen"] = r.factors("alignment_chosen.csv")
        if self.config.discovery is not None:
            shown = (self.compared_slices or [self.fit_slice])[:2]
            inputs |= {
                "maps": [r.discovery(z, "components.zarr") for z in shown],
                "profiles": [r.discovery(z, "components_profiles.csv") for z in shown],
                "agreements": [
                    r.discovery(z, "components_agreement.csv")
                    for z in shown
                    if z in self.layer_slices
                ],
            }
            if self.compared_slices:
                inputs["matches"] = r.matches("matches")
        if "layers" not in self.lacks:
            inputs |= {"layers": r.layers, "layer_selection": r.factors("selection_layers.csv")}
            settings["layer_names"] = self._layer_titles
        return inputs, settings

    def _meaning(self) -> tuple[Files, Settings]:
        tables = self.explained(self.fit_slice)
        del tables["typical"], tables["atlas_parquet"]
        tables |= {
            name: self.results.factors(f"{name}_areas.csv") for name in ("selection", "sensitivity")
        }
        return tables, {"areas": self._area_titles}

    def _typical(self) -> tuple[Files, Settings]:
        table = self.explained(self.fit_slice)["typical"]
        return {"volume": self.results.volume, "typical": table}, {}

    def _ranks(self) -> tuple[Files, Settings]:
        chosen = {"chosen": self.config.factorization.factors}
        return {"ranks": self.results.factors("ranks.csv")}, chosen

    def explained(self, z: Z, network: str = CNN) -> Files:
        """Return what is written of a slice's factors: what they follow, parts, typical patches."""
        names = {kind: f"{kind}.csv" for kind in ("meaning", "atlas", "typical")}
        names["atlas_parquet"] = "atlas.parquet"
        return {
            kind: self.results.factors(f"z{slice_name(z)}_{name}", network)
            for kind, name in names.items()
        }

    def _learning_curves(self) -> tuple[Files, Settings]:
        # Nonsense areas have another chance, which the figure's line is not.
        runs = [run for run in self.runs if run != NONSENSE]
        if self.config.readout.authors is not None:  # imported, not trained
            runs = [run for run in runs if run != AUTHORS]
        curves = {run: self.results.training(run, "learning_curves.csv") for run in runs}
        return {"curves": curves}, self._chance

    def _calibration(self) -> tuple[Files, Settings]:
        return self._calibrated, {}

    def _degradation(self) -> tuple[Files, Settings]:
        return {"degradation": self.results.readout("degradation.csv")}, self._chance

    def _label_efficiency(self) -> tuple[Files, Settings]:
        return {"efficiency": self.results.readout("label_efficiency.csv")}, self._chance

    def _grey_values(self) -> tuple[Files, Settings]:
        return dict(self._grey_tables), {}

    def _explored(self, slices: Sequence[Z]) -> tuple[dict[str, str], dict[str, str]]:
        """Return what a page to explore shows where it is there, and why it lacks the rest."""
        r = self.results
        files, lacks = {"areas": r.areas}, {}
        if self.is_trained:
            files, lacks["areas"] = {}, self.lacks["labels"]
        if self.config.layers is None:
            lacks["layers"] = self.lacks["layers"]
        else:
            files["layers"] = r.layers
        for z in slices:
            files |= {
                **{f"cube/{z}/{name}": r.cube(z, name) for name in self.extracted},
                f"prediction/{z}": r.prediction(z, "areas.zarr"),
                f"coefficients/{z}": r.coefficients(z),
            }
            for kind in (CLUSTERS, COMPONENTS):
                if self.config.discovery is None:
                    lacks[kind] = self.lacks["discovery"]
                elif z in self.labelled_slices:
                    files[f"{kind}/{z}"] = r.discovery(z, f"{kind}.zarr")
                else:
                    lacks[kind] = f"slice {z} is not annotated"
        return files, lacks

    def _reported(self) -> dict[str, str]:
        """Return what the page reads, by kind; see `brainarch.reporting.manifest.KINDS`."""
        r = self.results
        learnt = {
            "areas": r.annotations("areas.csv"),
            "classifiers": r.readout("classifiers.csv"),
            "differences": r.readout("differences.csv"),
            "mixture": r.readout("cluster_scores.csv"),
            "gram_error": r.readout("gram_error.csv"),
        }
        files = {
            "plan": r.plan,
            **({} if self.is_trained else learnt),
            **self._reported_runs(),
            **self._reported_slices(),
            **self._reported_networks(),
        }
        optional = {
            "assignments": ("assignments" not in self.lacks, r.readout("assignments.csv")),
            "assignment_differences": (
                "assignments" not in self.lacks,
                r.readout("assignment_differences.csv"),
            ),
            "phantom": (self.is_phantom, r.source("phantom.json")),
            "new_brains": (self.config.evaluation.new_brains > 0, r.new_brains),
            "lesions": (self.plants_lesions, r.lesions),
            "calibration": ("calibration" not in self.lacks, str(self._calibrated["summary"])),
            "selection_areas": ("labels" not in self.lacks, r.factors("selection_areas.csv")),
            "selection_layers": ("layers" not in self.lacks, r.factors("selection_layers.csv")),
            "alignment_chosen": (bool(self.compared_slices), r.factors("alignment_chosen.csv")),
            "baselines": (bool(self.compared_slices), r.factors("baselines.csv")),
            "planted": (
                self.is_phantom and bool(self.compared_slices),
                r.factors("planted.csv"),
            ),
            "matches": (
                bool(self.compared_slices) and self.config.discovery is not None,
                r.matches("matches"),
            ),
        }
        files |= {kind: path for kind, (there, path) in optional.items() if there}
        return files | {f"figure/{name}": r.figure(name, ".png") for name in self.figures}

    def _reported_runs(self) -> dict[str, str]:
        r = self.results
        files: dict[str, str] = {}
        for run in self.assignments:
            files |= {f"{kind}/{run}": r.patches(run, kind) for kind in ("counts", "independent")}
        for run in self.runs:
            for kind in ("metrics", "confusion"):
                for split in ("val", "test") if run == MAIN else ("test",):
                    files[f"{kind}/{run}/{split}"] = r.evaluation(run, split, kind)
        return files

    def _reported_slices(self) -> dict[str, str]:
        r = self.results
        files = {f"proof/{z}": r.proof(z) for z in self.config.extraction.slices}
        for z in self.labelled_slices:
            files[f"rim/{z}"] = r.prediction(z, "rim.csv")
            for kind in ("metrics", "confusion"):
                files[f"prediction_{kind}/{z}"] = r.prediction(z, f"{kind}.csv")
        for z in self.config.extraction.slices:
            files[f"fit/{z}"] = r.fit(z)
            files[f"maps/{z}"] = r.figure(f"maps_z{slice_name(z)}", ".csv")
        if self.config.discovery is not None:
            for z in self.layer_slices:
                for kind in (CLUSTERS, COMPONENTS):
                    files[f"agreement/{kind}/{z}"] = r.discovery(z, f"{kind}_agreement.csv")
                files[f"profiles/{z}"] = r.discovery(z, "components_profiles.csv")
        return files

    def _reported_networks(self) -> dict[str, str]:
        """Return what is shown of several extracted networks beside each other."""
        r, networks = self.results, self.extracted if len(self.extracted) > 1 else []
        files = {}
        if networks:
            matches = r.factors(f"z{slice_name(self.fit_slice)}_networks.csv")
            files[f"network_matches/{self.fit_slice}"] = matches
        for network in networks:
            if self.compared_slices:
                chosen = r.factors("alignment_chosen.csv", network)
                files[f"network_chosen/{network}"] = chosen
            for z in self.config.extraction.slices:
                files[f"network_fit/{network}/{z}"] = r.fit(z, network)
            for z in self.layer_slices if self.config.discovery is not None else []:
                for kind in (CLUSTERS, COMPONENTS):
                    agreement = r.discovery(z, f"{kind}_agreement.csv", network)
                    files[f"network_agreement/{network}/{kind}/{z}"] = agreement
            for z in self.labelled_slices if network in self.mapped.values() else []:
                files[f"network_map/{network}/{z}"] = r.prediction(z, "metrics.csv", network)
        return files
