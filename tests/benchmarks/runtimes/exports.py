"""A classifier of flowers on EfficientNet-Lite0, and its exports."""

import keras
import numpy as np

import unitools as ut

SIZE = 224
_REPRESENTATIVE = 200


def pictures_of(folder, count=None):
    """Return (uint8 pictures `(count, height, width, channels)`, classes, their names) of an image folder, mixed."""
    reader = ut.data.ImageFolder(folder, image_size=(SIZE, SIZE))
    batches = list(reader.batches(64, shuffle=False))
    images = np.concatenate([np.rint(np.asarray(images)).astype(np.uint8) for images, _ in batches])
    labels = np.concatenate([np.asarray(labels).argmax(-1) for _, labels in batches])
    chosen = np.random.default_rng(0).permutation(len(images))[:count]
    return images[chosen], labels[chosen], reader.class_names


def classifier(weights, images, labels, class_names):
    """Return the network, its head trained on the features of the pretrained base."""
    keras.utils.set_random_seed(0)
    base = ut.backbones.load(str(weights), input_shape=(SIZE, SIZE, 3))
    pixels = keras.Input((SIZE, SIZE, 3), name="images")
    pooled = keras.layers.GlobalAveragePooling2D()(base(base.preprocess(pixels)))
    features = keras.Model(pixels, pooled)
    known = features.predict(images.astype(np.float32), batch_size=64, verbose=0)
    head = keras.layers.Dense(len(class_names), "softmax", name="probabilities")
    learner = keras.Sequential([keras.Input(known.shape[1:]), keras.layers.Dropout(0.2), head])
    learner.compile("adam", "sparse_categorical_crossentropy")
    learner.fit(known, labels, epochs=30, batch_size=64, verbose=0)
    return keras.Model(pixels, head(pooled))


def write_exports(model, images, labels, folder):
    """Write one export for each runtime; return their folders by name."""
    random = np.random.default_rng(0)
    some = images[random.permutation(len(images))[:_REPRESENTATIVE]].astype(np.float32)
    options = {"labels": labels, "examples": some[:32]}
    ut.export.saved_model(model, folder / "savedmodel" / "1", **options)
    ut.export.onnx(model, folder / "onnx", **options)
    ut.export.openvino(model, folder / "openvino", **options)
    ut.export.litert(model, folder / "litert", **options)
    ut.export.litert(model, folder / "float16", quantization="float16", **options)
    ut.export.litert(model, folder / "int8", quantization="int8", representative=some, **options)
    return {
        "SavedModel": folder / "savedmodel" / "1",
        "onnxruntime": folder / "onnx",
        "OpenVINO": folder / "openvino",
        "LiteRT": folder / "litert",
        "LiteRT float16": folder / "float16",
        "LiteRT int8": folder / "int8",
    }
