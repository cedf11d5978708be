"""What `ExactResume` writes and reads: checkpoints, each a folder with a manifest."""
