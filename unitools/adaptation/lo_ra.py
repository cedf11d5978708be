"""LoRA."""

import math
from collections.abc import Sequence

import keras

from unitools.adaptation.adapter import Adapter
from unitools.adaptation.adapter_part import AdapterPart
from unitools.adaptation.low_rank_part import LowRankPart
from unitools.adaptation.low_rank_plan import kind_of, low_rank_plan
from unitools.adaptation.place import Place
from unitools.core.checks import check_flag, check_integer, check_number, fail


class LoRA(Adapter):
    """Low-rank adaptation: kernels W stay as they are, and learn a product of two thin factors, W + s A B.

    Why: some percent of the parameters learn, so that optimizer and checkpoints are small, one base serves many tasks,
    and an adapter is a file of a megabyte. Merged, it costs nothing to run. It takes 5 to 10 times the learning rate of
    full fine-tuning.

    It goes on any built Keras model without a change of its code, also on layers inside composite ones: `Dense`,
    `EinsumDense` (so `MultiHeadAttention` and keras-hub's encoders too), `Embedding`, `Conv1D` to `Conv3D`. One factor
    is zero at first: the model's answers stay the same until it learns.

    Args:
        rank: Rank of the product, from 1 to the smaller side of each kernel. Default 8.
        alpha: The product is scaled by s = alpha / rank, > 0. Default 16.
        dropout: Share of the inputs that is dropped before A in training, in [0, 1). Default 0.
        rank_stabilized: Scale by alpha / sqrt(rank) instead, which keeps high ranks learning. Default False.
        layers: Patterns of the layers to adapt, see `Adapter`. Default None: every `Dense` and `EinsumDense` outside
            the head (in a Transformer all projections of attention and feed-forward part), or if there is none, every
            convolution.
        train_also: What else learns, see `Adapter`: "head", "norms", "biases", patterns. Default "head".
        name: What the adapter is called. Default "default".

    Raises:
        ValueError: An argument is out of range. From `apply`: a pattern fits no such layer, the rank is above a
            kernel's smaller side, or the name is taken.

    Example:
    >>> import keras
    >>> import numpy as np
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> report = ut.adaptation.LoRA(rank=2, alpha=4).apply(model, seed=1)
    >>> report.added_parameters, [weight.name for weight in model.trainable_weights]
    (32, ['a', 'b', 'kernel', 'bias'])

    Source:
        Hu et al. 2022, https://arxiv.org/abs/2106.09685; `rank_stabilized`: Kalajdzievski 2023,
        https://arxiv.org/abs/2312.03732. First values as in Microsoft's loralib: A uniform in +-1 / sqrt(inputs) and B
        zero, for an embedding A zero and B normal.
    """

    def __init__(
        self,
        rank: int = 8,
        *,
        alpha: float = 16,
        dropout: float = 0.0,
        rank_stabilized: bool = False,
        layers: str | Sequence[str] | None = None,
        train_also: str | Sequence[str] = "head",
        name: str = "default",
    ):
        super().__init__(layers=layers, train_also=train_also, name=name)
        self.rank = check_integer("rank", rank, 1)
        self.alpha = check_number("alpha", alpha, 0, open_low=True, advice="Use activate(model, None) to turn it off.")
        self.dropout = check_number("dropout", dropout, 0, 1, open_high=True, advice="Use dropout=0 to turn it off.")
        self.rank_stabilized = check_flag("rank_stabilized", rank_stabilized)

    @property
    def scale(self) -> float:
        """What the product of the factors is multiplied by."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilized else self.rank)

    def suits(self, layer: keras.layers.Layer) -> bool:
        """Return whether the layer is of a kind with a kernel that is known."""
        return kind_of(layer) is not None and layer.built

    def default_layers(self, free: list[Place]) -> tuple[str, ...]:
        """Return the paths of the dense layers, or else of the convolutions."""
        kinds = {place.path: kind_of(place.layer) for place in free}
        dense = (keras.layers.Dense, keras.layers.EinsumDense)
        found = [path for path, kind in kinds.items() if kind in dense]
        found = found or [path for path, kind in kinds.items() if kind is not keras.layers.Embedding]
        if not found:
            advice = f"There are {list(kinds)}." if kinds else "No kind of layer in it can be adapted."
            fail("layers", None, "given for a model without dense layers and convolutions outside its head", advice)
        return tuple(found)

    def make_part(self, layer: keras.layers.Layer, path: str, seed: int | None) -> AdapterPart:
        """Return the factors for a layer."""
        plan = low_rank_plan(layer, path)
        if self.rank > plan.limit:
            advice = f"Above it, learn the kernel of {path!r} itself (train_also), or leave it out by `layers`."
            fail("rank", self.rank, f"from 1 to {plan.limit}, the smaller side of the kernel of {path!r}", advice)
        part = LowRankPart(layer, plan, self.rank, scale=self.scale, dropout=self.dropout, seed=seed, name=self.name)
        part.build()
        return part
