"""One picture of each promise of training, as it was seen to hold."""
