"""Training in the demo: a small network whole, a pretrained one head first."""

import keras
from rich.console import Console

from unitools.adaptation import freeze, unfreeze
from unitools.callbacks import Progress
from unitools.cli.demo_data import augmentation
from unitools.cli.demo_settings import DemoSettings
from unitools.data import ImageFolder
from unitools.training import CompileReport, compile

_EPOCHS, _HEAD_EPOCHS, _PRETRAINED_EPOCHS = 12, 2, 5


def train_network(
    model: keras.Model, train: ImageFolder, validation: ImageFolder, settings: DemoSettings, console: Console
) -> CompileReport:
    """Train, and return what `training.compile` chose (last).

    A small network learns as a whole. Of a pretrained one the head learns first, alone: its random weights would spoil
    the base model's. Then all layers learn, at a smaller rate, the early ones slower, the batch norms' statistics kept.
    """
    batches = train.batches(settings.batch_size, seed=settings.seed, augment=augmentation(settings))
    held_out = validation.batches(settings.batch_size, shuffle=False)

    def fit(title, epochs, **options):
        report = compile(model, steps=epochs * len(batches), seed=settings.seed, verbose=False, **options)
        progress = Progress(title=title)
        progress.console = console
        # shuffle=False: the batches shuffle themselves.
        model.fit(batches, validation_data=held_out, epochs=epochs, shuffle=False, verbose=0, callbacks=[progress])
        return report

    if not settings.weights:
        return fit("epoch", settings.epochs or _EPOCHS, learning_rate=3e-3)
    epochs = settings.epochs or _PRETRAINED_EPOCHS
    head_epochs = min(_HEAD_EPOCHS, epochs)
    console.print(str(freeze(model, -1)), highlight=False, soft_wrap=True)
    report = fit("head epoch", head_epochs, learning_rate=3e-3)
    if epochs == head_epochs:
        return report
    console.print(str(unfreeze(model)), highlight=False, soft_wrap=True)
    return fit("fine-tuning epoch", epochs - head_epochs, learning_rate=5e-4, layer_decay=0.8, label_smoothing=0.1)
