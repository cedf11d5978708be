"""Pictures of results, as matplotlib figures."""

from unitools.plots.confusion_matrix import confusion_matrix
from unitools.plots.picture_grid import picture_grid

__all__ = ["confusion_matrix", "picture_grid"]
