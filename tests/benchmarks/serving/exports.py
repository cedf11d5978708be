"""The two exports that are served: sentences through MiniLM, and pictures through a ResNet-18."""

import io

import keras
import numpy as np
from PIL import Image

import unitools as ut

LABELS = ("negative", "positive")
SIZE = 64


def write_texts(weights, folder, texts):
    """Export MiniLM with a head of random weights, which costs what a trained one costs; return the model's name."""
    classifier = ut.tasks.TextClassifier(ut.backbones.bert(weights), LABELS)
    classifier.export(folder / "texts" / "1", texts[:32])
    return "texts"


def write_pictures(folder, files):
    """Export a ResNet-18 of random weights for pictures of 64 x 64, from their bytes; return the model's name."""
    pixels = keras.Input((SIZE, SIZE, 3), name="images")
    base = ut.backbones.resnet("resnet18", weights=None, input_shape=(SIZE, SIZE, 3))
    scores = ut.heads.Classifier(5)(base(base.preprocess(pixels)))
    model = keras.Model(pixels, scores)
    ut.export.saved_model(
        model, folder / "pictures" / "1", "image_bytes", labels=list("abcde"), examples=small_pictures(files[:8])
    )
    return "pictures"


def small_pictures(files):
    """Return the pictures as JPEG bytes of the model's size, as a front end would send them."""
    encoded = []
    for file in files:
        with Image.open(file) as picture:
            stream = io.BytesIO()
            picture.convert("RGB").resize((SIZE, SIZE)).save(stream, "JPEG", quality=90)
        encoded.append(stream.getvalue())
    return encoded


def short_texts(reader, words=6):
    """Return the first words of each text: what a customer types."""
    return [" ".join(str(text).split()[:words]) for text in np.asarray(reader, object)]
