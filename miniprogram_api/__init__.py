"""The JSON API of the mini-program and the public account's H5 pages, mounted into the web process."""
