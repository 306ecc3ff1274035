"""Put first on pip's path while it fetches a source archive for the files in it: see `backend.models.wheel`."""
