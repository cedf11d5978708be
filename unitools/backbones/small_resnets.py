"""ResNet-18 and 34, which keras.applications has not: keras-hub's network."""

import keras

from unitools.backbones.hub import keras_hub
from unitools.backbones.top import with_classifier

# Blocks a stage, from He et al. (2015), table 1.
SMALL_RESNETS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet18v2": (2, 2, 2, 2),
    "resnet34v2": (3, 4, 6, 3),
}
# Where their ImageNet weights are. Nobody has published version 2.
SMALL_PRESETS = {"resnet18": "resnet_18_imagenet", "resnet34": "hf://timm/resnet34.a1_in1k"}


def build_small_resnet(name: str, *, include_top: bool, input_shape: tuple | None, num_classes: int) -> keras.Model:
    """Return ResNet-18 or 34, version 1 or 2, with random weights."""
    network = keras_hub().models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=list(SMALL_RESNETS[name]),
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        use_pre_activation=name.endswith("v2"),
        image_shape=input_shape or ((224, 224, 3) if include_top else (None, None, 3)),
        name=name,
    )
    model = keras.Model(network.input, network.output, name=name)
    return with_classifier(model, num_classes) if include_top else model


def small_resnet_pyramid(name: str) -> tuple[tuple[int, str], ...]:
    """Return pairs (stride level, layer name) for levels 2 to 5: the last block of each stage."""
    stages = enumerate(SMALL_RESNETS[name])
    ends = [(stage + 2, f"stack{stage}_block{count - 1}_out") for stage, count in stages]
    # Version 2 normalizes its last map after the last block.
    return (*ends[:3], (5, "post_relu")) if name.endswith("v2") else tuple(ends)
