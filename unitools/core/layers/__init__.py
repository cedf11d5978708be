"""Primitives that more than one folder needs."""

from unitools.core.layers.call_graph import node_of, nodes_in_order
from unitools.core.layers.counter_random import fold_in, threefry, uniform
from unitools.core.layers.decode_image import decode_image
from unitools.core.layers.exif_orientation import exif_orientation, upright
from unitools.core.layers.rare_branch import rare_branch

__all__ = [
    "decode_image",
    "exif_orientation",
    "fold_in",
    "node_of",
    "nodes_in_order",
    "rare_branch",
    "threefry",
    "uniform",
    "upright",
]
