"""The ImageNet classifier on top of a backbone, where the network does not bring its own."""

import keras


def with_classifier(model: keras.Model, num_classes: int = 1000) -> keras.Model:
    """Return the model with global average pooling and a softmax layer named "predictions" on top."""
    pooled = keras.layers.GlobalAveragePooling2D(name="avg_pool")(model.output)
    outputs = keras.layers.Dense(num_classes, activation="softmax", name="predictions")(pooled)
    return keras.Model(model.input, outputs, name=model.name)
