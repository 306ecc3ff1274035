"""Sleep spindles: found by two detectors, compared, explained."""
