"""Class names of an export."""

from unitools.core.checks import fail


def checked_labels(model, labels):
    """Return `labels` as a list, or None.

    Args:
        model: The model.
        labels: One name for each unit of its one output; two for one sigmoid unit. Or None.
    """
    if labels is None:
        return None
    labels = list(labels)
    if not all(isinstance(label, str) and "\n" not in label for label in labels):
        fail("labels", labels, "strings without line breaks")
    outputs = getattr(model, "outputs", None) or []
    units = outputs[0].shape[-1] if len(outputs) == 1 and len(outputs[0].shape) == 2 else None
    if len(labels) != (2 if units == 1 else units) or len(set(labels)) != len(labels):
        fail(
            "labels",
            labels,
            f"distinct, one for each unit of one output (batch, units); the model has {[x.shape for x in outputs]}",
            "Give them in the order of the units; two for a single sigmoid unit.",
        )
    return labels


def write_labels(file, labels):
    """Write one label a line."""
    if file.exists():
        fail("labels", file.name, "a name that no asset of the model has", "Rename the model's own labels.txt.")
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(labels) + "\n", encoding="utf-8")
