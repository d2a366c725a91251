"""Pages that span the apps: the start page, what waits for whoever is signed in, and the staff's home."""
