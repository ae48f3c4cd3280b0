"""Parts of the scheduling service; other domains import `backend.scheduling.service`."""
