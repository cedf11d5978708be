"""Training in the demo: a small network whole, a pretrained one head first."""

import keras
from rich.console import Console

from unitools.adaptation import freeze
from unitools.cli.demo_data import augmentation
from unitools.cli.demo_settings import DemoSettings
from unitools.cli.training_progress import TrainingProgress
from unitools.data import ImageFolder
from unitools.training import CompileReport, compile

_EPOCHS, _PRETRAINED_EPOCHS = 12, 5


def train_network(
    model: keras.Model, train: ImageFolder, validation: ImageFolder, settings: DemoSettings, console: Console
) -> CompileReport:
    """Train, and return what `training.compile` chose.

    A small network learns as a whole. Of a pretrained one the head alone learns: the base model's features are good
    already, and 1,000 pictures would spoil more than they improve at the head's rate.
    """
    batches = train.batches(settings.batch_size, seed=settings.seed, augment=augmentation(settings))
    epochs = settings.epochs or (_PRETRAINED_EPOCHS if settings.weights else _EPOCHS)
    if settings.weights:
        console.print(str(freeze(model, -1)), highlight=False, soft_wrap=True)
    report = compile(model, learning_rate=3e-3, steps=epochs * len(batches), seed=settings.seed, verbose=False)
    model.fit(
        batches,
        validation_data=validation.batches(settings.batch_size, shuffle=False),
        epochs=epochs,
        shuffle=False,  # the batches shuffle themselves
        verbose=0,
        callbacks=[TrainingProgress(console, "epoch")],
    )
    return report
