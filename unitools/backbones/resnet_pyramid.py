"""Which layers of keras.applications' ResNets end a stride level."""

# Version 1 reduces the size at the start of a stage, so a stage's last block ends the level. Version 2 reduces it in a
# stage's last block, so the block before ends the level; its last map is normalized by "post_relu".
_BLOCKS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}


def resnet_pyramid(name: str) -> tuple[tuple[int, str], ...] | None:
    """Return pairs (stride level, layer name) for levels 2 to 5, or None for other networks."""
    depth = name.removeprefix("resnet").removesuffix("v2")
    if not name.startswith("resnet") or depth not in _BLOCKS:
        return None
    if not name.endswith("v2"):
        return tuple((level, f"conv{level}_block{count}_out") for level, count in enumerate(_BLOCKS[depth], 2))
    stages = [(level, f"conv{level}_block{count - 1}_out") for level, count in enumerate(_BLOCKS[depth][:3], 2)]
    return (*stages, (5, "post_relu"))
