"""What representations of sampled patches say: classifiers, clusters, geometry, outliers."""
