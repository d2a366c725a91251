"""The sandbox gateway: acts out a bank, moves no money."""


class Sandbox:
    name = "sandbox"
