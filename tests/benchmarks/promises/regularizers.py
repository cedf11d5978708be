"""The effect of each regularizer over three seeds, mean and range, from the tables in docs/regularization.md."""

from tests.benchmarks.promises.picture import OURS, PLAIN, panels, table_below

TASKS = ("flower_photos, EfficientNet-Lite0", "sst2, MiniLM")


def draw(_):
    """Return the figure."""
    figure, panes = panels(*(f"{task}; at the right, the cost of a step" for task in TASKS), height=5.6)
    for number, axes in enumerate(panes):
        rows = table_below("regularization", "Measured", number)[::-1]
        plain = next(float(row["accuracy"]) for row in rows if row["regularizer"] == "none")
        for place, row in enumerate(rows):
            low, high = map(float, row["lowest to highest"].split(" to "))
            color = "black" if row["regularizer"] == "none" else OURS
            axes.plot([low, high], [place, place], color=color, alpha=0.4, linewidth=3)
            axes.plot([float(row["accuracy"])], [place], "o", color=color, markersize=5)
            beside = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "va": "center"}
            axes.annotate(row["a step costs"], (1.0, place), (2, 0), fontsize=7, **beside)
        axes.axvline(plain, color=PLAIN, linestyle=":")
        axes.set_yticks(range(len(rows)), [row["regularizer"].replace("0.1, ", "0.1,\n") for row in rows], fontsize=7)
        axes.set_xlabel("accuracy (%), three seeds", fontsize=8)
    return figure
