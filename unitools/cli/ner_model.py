"""The networks of the demo of named-entity recognition."""

from unitools.backbones import bert, lstm
from unitools.cli.ner_settings import NerSettings
from unitools.data import ColumnText, WordPieceTokenizer, WordTokenizer
from unitools.tasks import NamedEntityRecognizer


def pretrained_recognizer(settings: NerSettings, train: ColumnText) -> NamedEntityRecognizer:
    """Return a tagger on a pretrained BERT."""
    backbone = bert(settings.weights)
    tokenizer = WordPieceTokenizer.from_folder(backbone.tokenizer_folder, max_length=settings.max_length)
    return NamedEntityRecognizer(backbone, train.tags, tokenizer=tokenizer, crf=bool(settings.crf))


def small_recognizer(settings: NerSettings, train: ColumnText) -> NamedEntityRecognizer:
    """Return a BiLSTM over words and characters with a CRF, from random weights."""
    # Words that come once are unknown in training too, so that the vector of unknown words is learned.
    options = {"min_count": 2, "lowercase": True, "characters": True, "max_length": settings.max_length}
    tokenizer = WordTokenizer.from_reader(train, **options)
    backbone = lstm(tokenizer.vocabulary_size, characters=tokenizer.num_characters, units=150)
    crf = True if settings.crf is None else settings.crf
    return NamedEntityRecognizer(backbone, train.tags, tokenizer=tokenizer, crf=crf, dropout=0.0)
