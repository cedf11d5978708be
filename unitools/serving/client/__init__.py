"""The asking side, over three protocols."""
