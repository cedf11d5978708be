"""Keras callbacks: what `fit` and `evaluate` show while they run, and what they decide."""

from unitools.callbacks.best_weights import BestWeights
from unitools.callbacks.checkpoint.checkpoint_error import CheckpointError
from unitools.callbacks.checkpoint.manifest import CheckpointVersionError
from unitools.callbacks.checkpoint.run_identity import DifferentRunError
from unitools.callbacks.early_stopping import EarlyStopping
from unitools.callbacks.exact_resume import ExactResume
from unitools.callbacks.find_learning_rate import find_learning_rate
from unitools.callbacks.gradual_unfreeze import GradualUnfreeze
from unitools.callbacks.learning_rate_curve import LearningRateCurve
from unitools.callbacks.learning_rate_finder import LearningRateFinder
from unitools.callbacks.monitored_score import MonitoredScore
from unitools.callbacks.nan_guard import NanGuard, TrainingDivergedError
from unitools.callbacks.progress import Progress
from unitools.callbacks.prune_trial import PruneTrial
from unitools.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from unitools.callbacks.scaled_schedule import ScaledSchedule
from unitools.callbacks.score_report import ScoreReport
from unitools.callbacks.tensor_board_report import TensorBoardReport
from unitools.callbacks.throughput import Throughput

__all__ = [
    "BestWeights",
    "CheckpointError",
    "CheckpointVersionError",
    "DifferentRunError",
    "EarlyStopping",
    "ExactResume",
    "GradualUnfreeze",
    "LearningRateCurve",
    "LearningRateFinder",
    "MonitoredScore",
    "NanGuard",
    "Progress",
    "PruneTrial",
    "ReduceLROnPlateau",
    "ScaledSchedule",
    "ScoreReport",
    "TensorBoardReport",
    "Throughput",
    "TrainingDivergedError",
    "find_learning_rate",
]
