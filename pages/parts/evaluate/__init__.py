"""Parts of the page Check it yourself: what each task asks for, and how a measurement is told."""
