"""What takes an export to a cluster: image, manifests, runbook."""
