"""The trials in TensorBoard's HParams."""

from pathlib import Path

from unitools.tuning.trial_record import TrialRecord


def write_hparams(trials: list[TrialRecord], objective: str, log_dir: Path) -> None:
    """Write settings, score and intermediate values of each trial, a folder a trial.

    Args:
        trials: The trials.
        objective: Name of the score.
        log_dir: Folder that TensorBoard is shown.
    """
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    for trial in trials:
        with tf.summary.create_file_writer(str(log_dir / f"{trial.number:04d}")).as_default():
            api.hparams({name: _plain(value) for name, value in trial.settings.items()}, f"trial {trial.number}")
            for step, value in trial.reports.items():
                if value is not None:
                    tf.summary.scalar(f"reported/{objective}", value, step=step)
            if trial.score is not None:
                tf.summary.scalar(objective, trial.score, step=0)


def _plain(value):
    """Return a value of a kind that HParams knows."""
    return value if isinstance(value, (bool, int, float, str)) else str(value)
