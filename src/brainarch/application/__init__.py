"""A trained network on a volume that it has never seen, without config, labels and Snakemake."""
