"""Pictures of results, as matplotlib figures."""

from unitools.plots.confusion_matrix import confusion_matrix
from unitools.plots.importance import importance
from unitools.plots.learning_rate_curve import learning_rate_curve
from unitools.plots.picture_grid import picture_grid

__all__ = ["confusion_matrix", "importance", "learning_rate_curve", "picture_grid"]
