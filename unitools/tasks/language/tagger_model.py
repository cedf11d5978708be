"""A tagger on a text backbone."""

import keras

from unitools.backbones import TextBackbone
from unitools.heads import CRF, TokenTagger, allowed_transitions


def tagger_model(backbone: TextBackbone, tags: tuple[str, ...], crf: bool, dropout: float) -> keras.Model:
    """Return the model from the backbone's inputs to logits of the tags, or to a CRF's scores.

    With a CRF there is one more input, "first_pieces": the chain runs from word to word, and what a word is made of
    after its first piece is left out.
    """
    inputs, features = dict(backbone.input), backbone.sequence_output
    if not crf:
        return keras.Model(inputs, TokenTagger(len(tags), dropout=dropout, name="tagger")(features), name="tagger")
    first_pieces = keras.Input((None,), dtype="bool", name="first_pieces")
    head = CRF(len(tags), allowed=allowed_transitions(tags), dropout=dropout, name="crf")
    return keras.Model(inputs | {"first_pieces": first_pieces}, head(features, mask=first_pieces), name="tagger")
