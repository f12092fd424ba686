"""All code locations, a real daemon, and what the documentation tells a reader to run."""
