"""What the demo of named-entity recognition is asked to do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NerSettings:
    """The options of `python -m unitools demo ner`. Where one is None, the network decides.

    Args:
        data: Folder with column files to train, validate and test on, or one file to train on, of which parts are held
            out.
        weights: Folder or name of a pretrained BERT. Default None: a BiLSTM-CRF over words and characters, from random
            weights.
        crf: Whether the tags of a sentence are chosen together. Default None.
        epochs: Passes over the training sentences. Default None.
        learning_rate: Peak rate. Default None.
        batch_size: Sentences a batch. Default 16.
        max_length: Tokens that the model is given at once; longer texts become windows. Default 128.
        output: Where results go. Default runs/demo-ner.
        seed: Seed of the weights, the order and the dropout. Default 0.
    """

    data: Path
    weights: str | None = None
    crf: bool | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    batch_size: int = 16
    max_length: int = 128
    output: Path = Path("runs/demo-ner")
    seed: int = 0
