"""What keeps a search: storages, workers, trained nets as scores, reports."""
