"""Sleep: epochs staged, counted, explained."""
