"""The figures: how each is called, where it belongs and what it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure of a run.

    Parameters
    ----------
    name : str
        Of its files, its rule and in every list.
    title : str
        What it is about, in a few words.
    category : str
        Where it stands in Snakemake's report.
    caption : str
        What it shows, panel by panel.
    needs : tuple of str
        What a run must have for it; see `brainarch.pipeline.facts.Facts.lacks`.
    """

    name: str
    title: str
    category: str
    caption: str
    needs: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The name without the paper's number: what modules and functions are called."""
        return re.sub(r"^[VM]\d_", "", self.name)


#: In the order of the page.
FIGURES = (
    Figure(
        "V1_overview",
        "the method from data",
        "Paper V",
        "(a) A slice with its annotated areas. (b) One patch, framed in a. (c) The layers of the "
        "trained network with the shapes read from the module itself: channels and pixels of every "
        "block after pooling, then the vectors; the column of 64 cells is the representation of "
        "patch b. (d) Representations of test patches, rows sorted by area, units by the area in "
        "which they are most active; silent units last. (e) The area predicted at every extracted "
        "pixel; where only a part of the slice was extracted, a dashed frame in a marks it.",
        needs=("training",),
    ),
    Figure(
        "V2_annotations",
        "annotated slice and example patches",
        "Paper V",
        "(a) A training slice with its annotated areas; frames mark the patches shown in b. (b) "
        "Example patches of every area, chosen far from each other, all with the same grey limits. "
        "Above them: the labelled area on the slice, and how many patches fit into it without "
        "sharing a pixel, which is the number of independent samples.",
        needs=("training",),
    ),
    Figure(
        "V3_scale",
        "areas at scale",
        "Paper V",
        "(a) Annotation and prediction of a whole slice. (b, c) Confusion matrix (share of the "
        "annotated area, and number of pixels) and precision, recall and F1 of the evaluated "
        "pixels. (d, e) The same of the sampled test patches, which are a test of their own. (f) "
        "Accuracy by distance to the nearest border of an area; bars are the share of the pixels. "
        "Vertical lines are 95 % intervals from a spatial block bootstrap; areas in fewer than "
        "eight blocks have none. Accuracies are stated raw and from probabilities averaged over a "
        "width, beside that of copying the training slice's annotation.",
        needs=("labels",),
    ),
    Figure(
        "V4_classifiers",
        "what can be read from the representations",
        "Paper V",
        "(a) Accuracy on test patches of classifiers fitted on the representations of training "
        "patches, by network; the dashed line is chance. (b) Agreement of a Gaussian mixture, "
        "fitted without labels, with the areas. (c) Accuracy of classifiers fitted on clean "
        "patches and tested on patches with Gaussian noise on the grey values: fewer of the test "
        "patches, so that accuracies without noise differ a little from a. (d) Paired "
        "differences on the same test patches and blocks: a classifier on the trained network "
        "minus the same on another network, or minus the trained network's own last layer. Lines "
        "and bands are 95 % intervals from a spatial block bootstrap.",
        needs=("training",),
    ),
    Figure(
        "V5_gram",
        "geometry of the representations",
        "Paper V",
        "(a) Gram matrices of unit-length, uncentred representations, equally many patches of "
        "every area, sorted by area. Block error is the distance from the ideal block matrix, "
        "divided by the number of patches (0 is perfect), beside that of representations that are "
        "alike in nothing (orthogonal) and of constant ones. (b) Means of the Gram matrix over "
        "pairs of areas, each network's from white to darkest on its own scale, stated above: "
        "otherwise networks whose patches are all alike show one shade. (c) The patches on their "
        "three main principal components, the second and the third against the first, with the "
        "shares of variance.",
        needs=("training",),
    ),
    Figure(
        "V6_clusters",
        "clusters inside one area",
        "Paper V",
        "(a) Clusters of the area's pixels (PCA, then k-means), with the borders and names of "
        "annotated layers in white. (b) Shares of the clusters along relative depth, from the "
        "upper border (0) to the lower (1), grey where no pixel lies far enough inside; dashed "
        "lines are borders of layers. (c) Where each cluster's pixels lie. (d) Adjusted mutual "
        "information of clusters and layers (dots, full where above) beside nulls that keep "
        "bands of depth, from their median to their 99th percentile. Panels that need layers are "
        "left out without them.",
        needs=("labels", "discovery"),
    ),
    Figure(
        "V7_relations",
        "variability within and between areas",
        "Paper V",
        "(a) Areas joined to a tree, the most alike first (average linkage), above the values that "
        "it was made from: the distance of two areas' means over their spread; the same distance "
        "in units of the variability within areas (Mahalanobis); and how alike two areas vary, the "
        "cosine of their covariance matrices (linear CKA, units as examples). The cophenetic "
        "correlation says how far the areas are a hierarchy at all. (b) Mean squared distance of "
        "an area's patches from their mean, and of that mean from the mean of all areas. (c) The "
        "second as a share of both, by network; 'all' weighs every area the same. Lines are 95 % "
        "intervals from a spatial block bootstrap; areas in fewer than eight blocks have none.",
        needs=("training",),
    ),
    Figure(
        "V8_outliers",
        "outliers of every area",
        "Paper V",
        "The test patches that are least like the training patches of their own area, farthest "
        "first, with row and column of the pixel that each is of: those with the least likelihood "
        "under a Gaussian of the area's representations. Ranked are patches at least 90 % inside "
        "the area; an area too thin for them has no line. None shares a pixel with one before it, "
        "all have the same grey limits.",
        needs=("training",),
    ),
    Figure(
        "M1_factorization",
        "non-negative factorisation",
        "Paper M",
        "(a) Maps of some units of the dense representation, and of some factors' coefficients. "
        "(b) The basis, rows of unit length, units sorted by the factor in which they weigh most. "
        "(c) Coefficient maps of all factors, each from 0 (white) to its own 99.5th percentile, "
        "pale grey where nothing was extracted, with its share of the energy (squared "
        "coefficients) of all; framed and named where the factor was selected for "
        "an area, grey and 'not' where a slice that was not fitted contradicts it.",
    ),
    Figure(
        "M2_factors",
        "factors and components",
        "Paper M",
        "(a) Factors selected for areas, over the slice, in the areas' colours, with their AUROC "
        "on a slice that was not fitted; grey where that slice contradicts the pair: the factor "
        "tells another area better there. (b) AUROC of every factor for every area on that slice; "
        "frames mark selected pairs, dotted where contradicted. (c) Share of the area in which "
        "its factor is present, and of the pixels elsewhere. "
        "(d) Components of one area (Gaussian mixture on the coefficients) on two slices, matched "
        "by their profiles. (e) Profiles of the components; JS is the Jensen-Shannon distance of a "
        "match. (f) Agreement with annotated layers beside nulls that keep bands of depth. (g, h) "
        "Factors selected for layers. Panels without data in this run are left out, and the "
        "letters move up.",
        needs=("labels",),
    ),
    Figure(
        "M3_meaning",
        "what factors follow",
        "Paper M",
        "(a) Spearman's correlation of every factor's coefficient with classical measures of the "
        "same patches; colour and number where the 95 % interval of a spatial block bootstrap does "
        "not hold 0 and at most one in a hundred fields as autocorrelated as the measure, which "
        "know nothing of the factor, correlate as strongly; white elsewhere. Depth is that in the "
        "divided area; of a phantom, the shares of the planted masks stand beside it. (b) Mean of "
        "each factor in each area, as a share of its greatest. In words, to the right: the "
        "measures that it follows most (at least 0.3), and where its mean is greatest. Dark blobs "
        "of a cell's size are not all cells: on one slice most are texture. (c) The same measures "
        "of components and clusters, over the mean of all of them. (d) The factor selected for "
        "each area, by AUROC, and by the papers' rule with a threshold (0, or each factor's own by "
        "Otsu) and lambda, the weight of leakage (the papers': 0, 0.5); the colour is its AUROC, "
        "blue where the factor tells the area worse than chance.",
        needs=("labels",),
    ),
    Figure(
        "M4_typical",
        "typical patches",
        "Paper M",
        "The most typical patches, with row and column of the pixel that each is of; none shares a "
        "pixel with another of its line, all have the same grey limits. (a) Where each factor is "
        "strongest. (b, c) Where the coefficients are nearest to their mean over a component or "
        "a cluster, each in units of its deviation there.",
    ),
    Figure(
        "M5_ranks",
        "how many factors",
        "Paper M",
        "Numbers of factors compared on a sample of the pixels; the dashed line is the number of "
        "this run. (a) Relative error of the fit, and of held-out units at held-out pixels "
        "(bi-cross-validation; the band is the range over folds): where it no longer falls, more "
        "factors describe the sample only. (b) Mean cosine of factors matched one to one: of other "
        "starts with the best, and of two halves of the pixels. (c) Share of the coefficients that "
        "are exactly 0.",
        needs=("sweep",),
    ),
    Figure(
        "learning_curves",
        "learning curves",
        "Controls",
        "Cross entropy and accuracy on training patches (dashed, with dropout) and validation "
        "patches, for every run; a circle marks the epoch of best validation accuracy, whose "
        "network is kept. The run with permuted areas is a control that must end at chance.",
        needs=("training",),
    ),
    Figure(
        "calibration",
        "confidence and right answers",
        "Controls",
        "Share of test patches that is named rightly by the probability that the network gives "
        "the named area, as it says and with one temperature fitted on validation patches; the "
        "area of a point is its share of the patches, and bins of fewer than ten are left out. On "
        "the dashed line confidence means what it says.",
        needs=("calibration",),
    ),
    Figure(
        "degradation",
        "areas read from worse images",
        "Controls",
        "Accuracy on test patches shown with fewer grey levels, another contrast or brightness, "
        "blurred, or at another resolution, of logistic regression that was fitted on clean "
        "training patches. Noise stands in V4.",
        needs=("degradation",),
    ),
    Figure(
        "label_efficiency",
        "how many labels it takes",
        "Controls",
        "Accuracy on all test patches of logistic regression on each representation, fitted on the "
        "patches of a few labelled blocks of each area: mean, lowest and highest of several draws. "
        "The trained network (dashed) is shown with all blocks alone: it has learnt from all "
        "labels itself.",
        needs=("label_efficiency",),
    ),
    Figure(
        "grey_values",
        "grey values of the whole volume",
        "Volume",
        "(a) Every voxel counted; the orange line is the tissue threshold (Otsu), dashed lines are "
        "the percentiles 1, 50 and 99. (b) Mean and standard deviation of each slice. (c) Share of "
        "each slice that is brighter than the threshold. Jumps from slice to slice are artefacts "
        "of imaging or of stitching; a drift means that a network trained on one slice meets other "
        "grey values on another.",
    ),
)
