"""Non-negative factors of the representation: fit, project, select, align."""
