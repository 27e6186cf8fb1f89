"""Fit a scikit-learn model and say whether it converged."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning

logger = logging.getLogger(__name__)


def fit_checked(model: Any, *data: Any, name: str) -> bool:
    """Fit a model, and return whether it converged instead of warning about it.

    Parameters
    ----------
    model : estimator
        With a method ``fit``.
    *data
        What ``fit`` takes.
    name : str
        What is fitted, for the log line if it did not converge.

    Returns
    -------
    bool
        False if scikit-learn gave a ConvergenceWarning; all other warnings are passed on.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data)
    converged = True
    for warning in caught:
        if issubclass(warning.category, ConvergenceWarning):
            converged = False
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if not converged:
        logger.warning("%s: did not converge; the table says so", name)
    return converged
