"""The scores of LoRA and of full fine-tuning, from the table in docs/benchmarks.md."""

import re

from tests.benchmarks.promises.picture import OURS, PLAIN, panels, table_below


def scored(row):
    """Return the scores of a row by the set they belong to, in percent."""
    return {name: 100 * float(value) for name, value in re.findall(r"(dev|test) ([0-9.]+)", row["scores"])}


def draw(_):
    """Return the figure."""
    best = {}
    for row in table_below("benchmarks", "LoRA against full fine-tuning"):
        corpus, _, how = re.split(r", (\d+) epochs, ", row[""])
        for part, value in scored(row).items():
            best.setdefault(f"{corpus}, {part}", {}).setdefault(how, []).append((value, row["file / base"]))
    figure, (axes,) = panels("LoRA at rank 8 on MiniLM against full fine-tuning")
    for place, found in enumerate(best.values()):
        full = max(found["all weights"])[0]
        lora, size = max(found["LoRA"])
        axes.fill_between([place - 0.3, place + 0.3], full - 0.5, full, color=PLAIN, alpha=0.3, linewidth=0)
        axes.plot([place - 0.3, place + 0.3], [full, full], color=PLAIN)
        axes.plot([place], [lora], "o", color=OURS)
        text = f"{lora - full:+.2f}\nfile {size}"
        axes.annotate(text, (place, lora), (8, 0), textcoords="offset points", fontsize=8, va="center")
    axes.plot([], [], "o", color=OURS, label="LoRA, the best of the rates in docs/benchmarks.md")
    axes.plot([], [], color=PLAIN, label="all weights, and half a point below")
    axes.set_xticks(range(len(best)), list(best))
    axes.set(ylabel="accuracy, entity F1 (%)", xlim=(-0.5, len(best) - 0.2))
    axes.legend(fontsize=8)
    return figure
