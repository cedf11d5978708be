"""Augmenters where users put them: in `tf.data`, in a model, in a file, behind an export."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.data.image.painting import noisy, seeds_for
from unitools.data.image import Compose, RandAugment, RandomAffine, RandomColor, RandomErasing

AUGMENTERS = {
    "affine": lambda: RandomAffine(rotation=30, horizontal_flip=True, seed=1),
    "color": lambda: RandomColor(brightness=0.3, hue=0.1, seed=1),
    "erasing": lambda: RandomErasing(rate=1, seed=1),
    "rand_augment": lambda: RandAugment(operations=("rotate", "equalize", "sharpness"), seed=1),
    "compose": lambda: Compose([RandomAffine(rotation=30), RandomColor(contrast=0.3)], seed=1),
}


def model_with(augmenter):
    inputs = keras.Input((16, 20, 3), dtype="uint8", name="images")
    x = keras.layers.Rescaling(1 / 255)(augmenter(inputs))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(x))
    return keras.Model(inputs, keras.layers.Dense(2)(x))


@pytest.mark.parametrize("name", AUGMENTERS)
def test_prediction_is_clean_alone_in_a_file_and_behind_an_export(name, tmp_path):
    pictures = noisy(3, 16, 20)
    model = model_with(AUGMENTERS[name]())
    expected = model.predict(pictures, verbose=0)
    bare = model_with(keras.layers.Identity())
    bare.set_weights([weight for weight in model.get_weights() if weight.dtype == np.float32])
    np.testing.assert_allclose(bare.predict(pictures, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(model(pictures), expected, atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(pictures, verbose=0), expected, atol=1e-6)
    model.export(tmp_path / "export", verbose=False)
    served = tf.saved_model.load(tmp_path / "export")  # its variables live as long as it is held
    np.testing.assert_allclose(served.serve(pictures), expected, atol=1e-6)


@pytest.mark.parametrize("name", AUGMENTERS)
def test_training_in_a_model_under_xla(name):
    keras.utils.set_random_seed(1)
    model = model_with(AUGMENTERS[name]())
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)
    history = model.fit(noisy(8, 16, 20), np.arange(8) % 2, batch_size=4, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize("name", AUGMENTERS)
def test_training_in_a_model_changes_every_batch_anew(name):
    augmenter = AUGMENTERS[name]()
    step = tf.function(lambda images: augmenter(images, training=True), jit_compile=True)
    pictures = tf.constant(noisy(4, 16, 20))
    first, second = step(pictures).numpy(), step(pictures).numpy()
    assert not np.array_equal(first, pictures) and not np.array_equal(first, second)


@pytest.mark.parametrize("name", AUGMENTERS)
def test_in_tf_data_a_picture_alone_or_in_a_batch(name):
    augmenter = AUGMENTERS[name]()
    pictures = noisy(4, 16, 20)
    batched = tf.data.Dataset.from_tensor_slices((pictures, seeds_for(4))).batch(2)
    data = batched.map(lambda images, seeds: augmenter.augment({"images": images}, seeds)["images"]).unbatch()
    results = np.stack(list(data.as_numpy_iterator())).astype("int32")
    expected = augmenter.augment({"images": tf.constant(pictures)}, seeds_for(4))["images"].numpy()
    assert np.mean(np.abs(results - expected) > 1) < 0.01
    single = tf.data.Dataset.from_tensor_slices(pictures).map(lambda image: augmenter(image, training=True))
    assert single.element_spec == tf.TensorSpec((16, 20, 3), tf.uint8)
    assert next(iter(single)).shape == (16, 20, 3)


@pytest.mark.parametrize("name", AUGMENTERS)
def test_training_false_hands_the_inputs_through(name):
    pictures = tf.constant(noisy(2, 16, 20))
    np.testing.assert_array_equal(AUGMENTERS[name]()(pictures), pictures)
    np.testing.assert_array_equal(AUGMENTERS[name]()(pictures, training=False), pictures)
