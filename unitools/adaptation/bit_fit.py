"""BitFit."""

from collections.abc import Sequence

from unitools.adaptation.adapter import Adapter
from unitools.adaptation.place import Place
from unitools.adaptation.trained_weights import BIASES


class BitFit(Adapter):
    """Trains the biases, those of norms included, and the head; all else stays as it is.

    Why: the smallest adapter, about a thousandth of the parameters, with nothing added to the model. It wants rates of
    1e-3 and more, and suits small data sets.

    Args:
        train_also: What learns beside the biases, see `Adapter`. Default "head".
        name: What the adapter is called. Default "default".

    Raises:
        ValueError: From `apply`: a pattern fits nothing, the model has no biases, or the name is taken.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.BitFit().apply(model)
    >>> [weight.name for weight in model.trainable_weights]
    ['bias', 'kernel', 'bias']

    Source:
        Ben Zaken et al. 2022, https://arxiv.org/abs/2106.10199.
    """

    def __init__(self, *, train_also: str | Sequence[str] = "head", name: str = "default"):
        super().__init__(train_also=train_also, name=name)

    @property
    def also(self) -> tuple[str, ...]:
        """What learns: the biases among it."""
        return (BIASES, *super().also)

    def targets(self, found: list[Place], trained: dict[str, set[str]]) -> list[Place]:
        """Return no layer: nothing is added."""
        return []
