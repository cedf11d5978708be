"""Tasks: data, backbone, head, loss, scores and export, assembled."""

from unitools.tasks.language.classification import Classification
from unitools.tasks.language.entity import Entity
from unitools.tasks.language.entity_extractor import EntityExtractor
from unitools.tasks.language.named_entity_recognizer import NamedEntityRecognizer
from unitools.tasks.language.read_entities import read_entities
from unitools.tasks.language.text_classifier import TextClassifier
from unitools.tasks.language.text_scorer import TextScorer
from unitools.tasks.language.text_task import TextTask

__all__ = [
    "Classification",
    "Entity",
    "EntityExtractor",
    "NamedEntityRecognizer",
    "TextClassifier",
    "TextScorer",
    "TextTask",
    "read_entities",
]
