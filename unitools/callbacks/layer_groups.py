"""Variables grouped by the block of the model that they belong to."""

import re

# Up to the first number, with a letter behind it: "conv2_block1_1_conv" is "conv2", "block2a_expand_conv" is "block2a".
# The number of "conv2d_5" is the one behind "2d", which belongs to the word.
_BLOCK = re.compile(r".*?\d+(?!\d|d(?:_|$))[a-z]?(?=_|$)")


def layer_group(path: str, model_name: str = "") -> str:
    """Return the block that a variable with this path belongs to: the layer of the model, or the stage it is in.

    Args:
        path: Path of the variable, "layer/part/variable".
        model_name: Name of the model, which the paths in a Sequential or a subclass begin with.
    """
    layer = path.removeprefix(f"{model_name}/").partition("/")[0]
    block = _BLOCK.match(layer)
    return block[0] if block else layer
