"""A search of 30 trials: the best score so far against the recipe by hand, and the memory of the searching process."""

import tempfile

import psutil

import unitools as ut
from tests.benchmarks import search as benchmark
from tests.benchmarks.promises.picture import OURS, PLAIN, panels

TRIALS, WORKERS = 30, 2


def best_so_far(trials):
    """Return the best score of the trials up to each."""
    best, found = 0.0, []
    for trial in trials:
        best = max(best, trial.score or 0.0) if trial.state == "done" else best
        found.append(best)
    return found


def draw(_):
    """Return the figure."""
    process, memory = psutil.Process(), []
    with tempfile.TemporaryDirectory() as folder:
        by_hand = benchmark.hand_set(folder).best.score
        search = ut.tuning.Search(benchmark.build, benchmark.space(), "val_accuracy", folder=f"{folder}/search")
        for count in range(1, TRIALS + 1, WORKERS):
            search.run(count, workers=WORKERS)
            memory.append((count, process.memory_info().rss / 2**20))
        search.run(TRIALS, workers=WORKERS)
        memory.append((TRIALS, process.memory_info().rss / 2**20))
        trials = search.trials
    figure, (scores, sizes) = panels("Validation accuracy", "Memory of the searching process (MiB)")
    done = [(trial.number + 1, trial.score) for trial in trials if trial.state == "done"]
    cut = [(trial.number + 1, trial.score) for trial in trials if trial.state == "pruned"]
    scores.plot(*zip(*cut, strict=True), "x", color=PLAIN, markersize=5, label="trial that was cut short")
    scores.plot(*zip(*done, strict=True), ".", color=OURS, label="trial")
    scores.step(range(1, len(trials) + 1), best_so_far(trials), where="post", color=OURS, label="best so far")
    scores.axhline(by_hand, color="black", linestyle=":", label="recipe set by hand")
    sizes.plot(*zip(*memory, strict=True), color=OURS)
    growth = 100 * (memory[-1][1] / memory[0][1] - 1)
    print(f"best {best_so_far(trials)[-1]:.4f}, by hand {by_hand:.4f}; memory {growth:+.1f} %", flush=True)
    sizes.annotate(f"{growth:+.1f} %", memory[-1], (-30, 8), textcoords="offset points")
    sizes.set(xlabel="trials", ylim=(0, 1.3 * memory[-1][1]))
    scores.set(xlabel="trial")
    scores.legend(fontsize=8, loc="lower right")
    return figure
