"""Pictures a second from JPEG files to augmented float batches, against the tools a user would pick instead.

    python -m tests.benchmarks.images ../shared/data/flower_photos/train [--resize 375 500] [--rounds 3]

The case study's augmentation: batches of 32 at 224 x 224, shear, zoom 0.2, horizontal flip, values in 0..1. Needs the
extra [bench]; torch in its CPU build.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from keras.src.legacy.preprocessing.image import ImageDataGenerator as OldGenerator
from PIL import Image

import unitools as ut
from tests.benchmarks.measure import interleaved, print_machine, print_table

SIZE, BATCH = 224, 32
AUTO = tf.data.AUTOTUNE
OURS = "unitools: ImageFolder + RandomAffine"


def decode(path):
    return tf.image.decode_jpeg(tf.io.read_file(path), 3)


def decode_only(files):
    paths = tf.data.Dataset.from_tensor_slices(files)
    # The size goes through a string, or the optimiser would leave the decoding out.
    return paths.map(lambda path: tf.strings.as_string(decode(path)[0, 0, 0]), AUTO).batch(BATCH).prefetch(AUTO)


def decode_and_resize(files):
    paths = tf.data.Dataset.from_tensor_slices(files)
    return paths.map(lambda path: tf.image.resize(decode(path), (SIZE, SIZE)), AUTO).batch(BATCH).prefetch(AUTO)


def keras_layers(files):
    layers = [
        keras.layers.RandomShear(0.2, 0.2),
        keras.layers.RandomZoom((-0.2, 0.2)),
        keras.layers.RandomFlip("horizontal"),
        keras.layers.Rescaling(1 / 255),
    ]

    def augment(images):
        for layer in layers:
            images = layer(images, training=True)
        return images

    paths = tf.data.Dataset.from_tensor_slices(files)
    resized = paths.map(lambda path: tf.image.resize(decode(path), (SIZE, SIZE)), AUTO).batch(BATCH)
    return resized.map(augment, AUTO).prefetch(AUTO)


def old_generator(folder, share=0.25):
    generator = OldGenerator(rescale=1 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
    flow = generator.flow_from_directory(folder, target_size=(SIZE, SIZE), batch_size=BATCH, class_mode="categorical")
    return (flow[step] for step in range(max(2, int(len(flow) * share))))


def albumentations_loader(files):
    import albumentations
    import cv2
    import torch

    cv2.setNumThreads(1)
    change = albumentations.Compose(
        [
            albumentations.Resize(SIZE, SIZE),
            albumentations.Affine(shear=(-11, 11), scale=(0.8, 1.2), p=1),
            albumentations.HorizontalFlip(),
            albumentations.Normalize(mean=0, std=1),
        ]
    )

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return len(files)

        def __getitem__(self, index):
            return change(image=cv2.cvtColor(cv2.imread(files[index]), cv2.COLOR_BGR2RGB))["image"]

    return torch.utils.data.DataLoader(Pictures(), BATCH, num_workers=2)


def contenders(folder):
    reader = ut.data.ImageFolder(folder, image_size=(SIZE, SIZE))
    files = list(reader.files)
    affine = ut.data.RandomAffine(shear=0.2, zoom=0.2, horizontal_flip=True)
    generator = ut.data.ImageDataGenerator(rescale=1 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
    built = {
        "decode only": decode_only(files),
        "decode + resize, no augmentation": decode_and_resize(files),
        "unitools: ImageFolder, no augmentation": reader.batches(BATCH, seed=1, rescale=1 / 255),
        OURS: reader.batches(BATCH, seed=1, rescale=1 / 255, augment=affine),
        "unitools: ImageDataGenerator": generator.flow_from_directory(
            folder, target_size=(SIZE, SIZE), batch_size=BATCH, seed=1
        ),
        "Keras layers in tf.data": keras_layers(files),
    }
    functions = {name: (lambda batches=batches: batches) for name, batches in built.items()}
    functions["old ImageDataGenerator"] = lambda: old_generator(folder)
    functions["albumentations + DataLoader, 2 workers"] = lambda: albumentations_loader(files)
    return functions


def resized_copy(folder, size, target):
    """Write every picture at one (height, width) into `target`, as JPEG of quality 90."""
    for file in sorted(Path(folder).glob("*/*.jpg")):
        place = Path(target) / file.parent.name / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.open(file).convert("RGB").resize(size[::-1]).save(place, quality=90)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("--resize", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"))
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory() as place:
        folder, title = given.folder, f"{given.folder}, sizes as they are"
        if given.resize:
            resized_copy(given.folder, given.resize, place)
            folder, title = place, f"{given.folder} at {given.resize[0]} x {given.resize[1]}"
        print_table(title, interleaved(contenders(folder), given.rounds), OURS)


if __name__ == "__main__":
    main()
