"""Statistics that several stages share: metrics, block bootstrap, AUROC."""
