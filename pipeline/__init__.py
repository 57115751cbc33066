"""The deploy pipeline for further repositories and targets: the workflow with which each of them calls it."""
