"""The file channel."""


class Files:
    name = "files"
