"""Which settings matter."""

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance

from unitools.core.checks import check_choice, fail
from unitools.core.optional import require
from unitools.tuning.choice import Choice
from unitools.tuning.quiet import quiet_optuna
from unitools.tuning.space import Space
from unitools.tuning.trial_record import TrialRecord

_MIN_TRIALS = 4


def setting_importance(space: Space, trials: list[TrialRecord], method: str, seed: int) -> dict[str, float]:
    """Return the share of each setting in what makes the scores differ; the shares add up to 1, largest first.

    Args:
        space: The space.
        trials: Trials that ended with a score.
        method: "permutation": how much worse a random forest foretells the scores when a setting is shuffled. "fanova":
            the part of the variance, by Optuna; settings that some trial did not have are left out.
        seed: Seed of the forest.

    Raises:
        ValueError: There are too few trials.
    """
    check_choice("method", method, ("permutation", "fanova"))
    if len(trials) < _MIN_TRIALS:
        fail("trials", len(trials), f"{_MIN_TRIALS} trials with a score or more", "Let the search run longer.")
    values = (_permutation if method == "permutation" else _fanova)(space, trials, seed)
    total = sum(values.values())
    shares = {name: value / total if total > 0 else 0.0 for name, value in values.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _permutation(space, trials, seed):
    inputs = np.array(
        [[_coordinate(domain, trial, name) for name, domain in space.domains.items()] for trial in trials]
    )
    scores = np.array([trial.score for trial in trials])
    forest = RandomForestRegressor(200, random_state=seed).fit(inputs, scores)
    found = permutation_importance(forest, inputs, scores, n_repeats=20, random_state=seed).importances_mean
    return {name: max(0.0, float(value)) for name, value in zip(space.domains, found, strict=True)}


def _coordinate(domain, trial, name):
    """Return a setting as a number; one that the trial did not have as one far from all others."""
    if name not in trial.settings:
        return -1e6
    value = trial.settings[name]
    if isinstance(domain, Choice):
        return domain.index(value)
    return np.log(value) if getattr(domain, "log", False) else float(value)


def _fanova(space, trials, seed):
    optuna = require("optuna", "tune", 'importance(method="fanova")')
    with quiet_optuna(optuna):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        distributions = {name: _distribution(optuna.distributions, domain) for name, domain in space.domains.items()}
        for trial in trials:
            known = {
                name: _value(space.domains[name], trial.settings[name])
                for name in distributions.keys() & trial.settings
            }
            own = {name: distributions[name] for name in known}
            study.add_trial(optuna.trial.create_trial(params=known, distributions=own, value=trial.score))
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return {name: float(value) for name, value in found.items()}


def _value(domain, value):
    return domain.index(value) if isinstance(domain, Choice) else value


def _distribution(distributions, domain):
    if isinstance(domain, Choice):
        return distributions.CategoricalDistribution(list(range(len(domain.values))))
    if not hasattr(domain, "low"):
        return distributions.CategoricalDistribution([False, True])
    kind = distributions.IntDistribution if isinstance(domain.low, int) else distributions.FloatDistribution
    return kind(domain.low, domain.high, log=domain.log, step=domain.step)
