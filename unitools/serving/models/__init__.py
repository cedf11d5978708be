"""The models that are served: versions in folders, loaded, swapped, batched."""
