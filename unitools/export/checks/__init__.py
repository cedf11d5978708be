"""What an export holds, looked at before anything of it runs: one file a format."""
